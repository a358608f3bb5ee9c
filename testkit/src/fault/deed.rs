//! What a fault does, in terms of the few things that can be done.

use std::time::Duration;

use fastrand::Rng;
use yoi_protocol::RuntimeId;

use super::{Elsewhere, Fault, Malady, Tamper};
use super::{answer, body, coded, head, inside, problem, stream};
use crate::link::answer::Answer;
use crate::link::head::Head;
use crate::link::step::Script;

/// What is done where a fault happens.
pub(crate) enum Deed {
    /// The Backend is sent elsewhere than to the Runtime.
    Elsewhere(Elsewhere),
    /// This is done in the Runtime's place, which never sees the request.
    InPlace(fn(&Scene<'_>) -> Script),
    /// The Runtime answers, and this is done with its answer.
    Spoiled(fn(Answer, &mut Scene<'_>) -> Script),
    /// The Runtime is asked something else.
    Asked(fn(&mut Head)),
    /// Who does not show the new credential is refused.
    Rotated,
    /// This is done to a stream that is caught up.
    Stream(Tamper),
    /// Something is done to the Runtime itself. The link is well.
    Inside(Malady),
}

/// What is known where a fault happens.
pub(crate) struct Scene<'a> {
    pub(crate) fault: Fault,
    pub(crate) runtime_id: &'a RuntimeId,
    /// The request.
    pub(crate) asked: &'a Head,
    /// Which byte is the last, and the like.
    pub(crate) chance: Rng,
    /// How late is late, but in time.
    pub(crate) slow: Duration,
}

impl Fault {
    /// What it does.
    pub(crate) fn deed(self) -> Deed {
        match self {
            Self::NameDoesNotResolve => Deed::Elsewhere(Elsewhere::Nowhere),
            Self::ConnectionRefused => Deed::Elsewhere(Elsewhere::ClosedPort),
            Self::TlsHandshakeFails => Deed::Elsewhere(Elsewhere::Plain),
            Self::ConnectNeverCompletes => Deed::Elsewhere(Elsewhere::FullQueue),
            Self::RequestLost => Deed::InPlace(head::request_lost),
            Self::ClosedBeforeHead => Deed::Spoiled(head::closed_before_head),
            Self::ResetBeforeHead => Deed::Spoiled(head::reset_before_head),
            Self::ClosedInHead => Deed::Spoiled(head::closed_in_head),
            Self::ResetInHead => Deed::Spoiled(head::reset_in_head),
            Self::NoHead => Deed::Spoiled(head::no_head),
            Self::HeadStalls => Deed::Spoiled(head::head_stalls),
            Self::SlowHead => Deed::Spoiled(head::slow_head),
            Self::ClosedInBody => Deed::Spoiled(body::closed_in_body),
            Self::ResetInBody => Deed::Spoiled(body::reset_in_body),
            Self::BodyStalls => Deed::Spoiled(body::body_stalls),
            Self::BodyTrickles => Deed::Spoiled(body::body_trickles),
            Self::SlowBody => Deed::Spoiled(body::slow_body),
            Self::BodyInPieces => Deed::Spoiled(body::body_in_pieces),
            Self::OversizedBody => Deed::Spoiled(body::oversized_body),
            Self::TruncatedJson => Deed::Spoiled(body::truncated_json),
            Self::NotHttp => Deed::Spoiled(answer::not_http),
            Self::Redirected => Deed::InPlace(answer::redirected),
            Self::AnonymousAnswer => Deed::Spoiled(answer::anonymous_answer),
            Self::NotJson => Deed::Spoiled(answer::not_json),
            Self::AnotherShape => Deed::Spoiled(answer::another_shape),
            Self::AnotherRuntimesAnswer => Deed::Spoiled(answer::another_runtimes_answer),
            Self::AnotherRuntimesBody => Deed::Spoiled(answer::another_runtimes_body),
            Self::AnotherWorkersAnswer => Deed::Spoiled(answer::another_workers_answer),
            Self::ProblemOfAnotherStatus => Deed::Spoiled(problem::of_another_status),
            Self::UnsignedProblem => Deed::InPlace(problem::unsigned),
            Self::UnknownCode => Deed::Spoiled(problem::unknown_code),
            Self::AnotherRuntimesProblem => Deed::Spoiled(problem::of_another_runtime),
            Self::ProblemWithoutEffect => Deed::Spoiled(problem::without_effect),
            Self::StoreFailedUncertain => Deed::Spoiled(problem::store_failed_uncertain),
            Self::TimedOutUncertain => Deed::Spoiled(problem::timed_out_uncertain),
            Self::CredentialRotated => Deed::Rotated,
            Self::UpgradeStripped => Deed::Asked(answer::upgrade_stripped),
            Self::Uncoded(_) => Deed::InPlace(answer::uncoded),
            Self::Coded(_) => Deed::InPlace(coded::coded),
            Self::StreamClosed => Deed::Stream(stream::stream_closed()),
            Self::StreamReset => Deed::Stream(stream::stream_reset()),
            Self::ResetInFrame => Deed::Stream(stream::reset_in_frame()),
            Self::HalfOpen => Deed::Stream(stream::half_open()),
            Self::NoPong => Deed::Stream(stream::no_pong()),
            Self::EventTwice => Deed::Stream(stream::event_twice()),
            Self::EventsSwapped => Deed::Stream(stream::events_swapped()),
            Self::EventSkipped => Deed::Stream(stream::event_skipped()),
            Self::OversizedFrame => Deed::Stream(stream::oversized_frame()),
            Self::NotAFrame => Deed::Stream(stream::not_a_frame()),
            Self::BinaryMessage => Deed::Stream(stream::binary_message()),
            Self::BrokenFrame => Deed::Stream(stream::broken_frame()),
            Self::AnotherWorkersFrame => Deed::Stream(stream::another_workers_frame()),
            Self::UnknownEventType => Deed::Stream(stream::unknown_event_type()),
            Self::FrameInPieces => Deed::Stream(stream::frame_in_pieces()),
            Self::CredentialExpires => Deed::Stream(stream::credential_expires()),
            Self::CursorExpires => Deed::Stream(stream::cursor_expires()),
            Self::CursorForgotten => Deed::Stream(stream::cursor_forgotten()),
            Self::WorkerForgotten => Deed::Stream(stream::worker_forgotten()),
            Self::StreamDrains => Deed::Stream(stream::stream_drains()),
            Self::ReaderTooSlow => Deed::Stream(stream::reader_too_slow()),
            Self::StreamFails => Deed::Stream(stream::stream_fails()),
            Self::EndsBeforeStopped => Deed::Stream(stream::ends_before_stopped()),
            Self::StoreRefuses => Deed::Inside(inside::store_refuses()),
            Self::StoreUncertain => Deed::Inside(inside::store_uncertain()),
            Self::WriteHangs => Deed::Inside(inside::write_hangs()),
            Self::ReadFails => Deed::Inside(inside::read_fails()),
            Self::ReadHangs => Deed::Inside(inside::read_hangs()),
            Self::WorkersAtLimit => Deed::Inside(inside::workers_at_limit()),
            Self::RunsAtLimit => Deed::Inside(inside::runs_at_limit()),
            Self::StreamsAtLimit => Deed::Inside(inside::streams_at_limit()),
            Self::KeysAtLimit => Deed::Inside(inside::keys_at_limit()),
            Self::ClockStepsBack => Deed::Inside(inside::clock_steps_back()),
            Self::ClockLeapsAhead => Deed::Inside(inside::clock_leaps_ahead()),
            Self::RuntimeDrains => Deed::Inside(inside::runtime_drains()),
        }
    }
}
