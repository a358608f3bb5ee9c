//! The closed list of faults.

use std::fmt;

use yoi_protocol::Code;

macro_rules! faults {
    ($($(#[$family_doc:meta])* $family:ident {
        $($(#[$doc:meta])* $variant:ident = $name:literal;)*
    })*) => {
        /// One thing that can happen on the link between a Backend and a Runtime, or inside the
        /// Runtime, named for what the network does.
        ///
        /// A [`FaultProxy`](crate::FaultProxy) commits those of every family but
        /// [`Family::Runtime`], which [`RuntimeFaults`](crate::RuntimeFaults) commits. What a Backend must
        /// make of each is its [`outcome`](Self::outcome).
        ///
        /// ```
        /// use yoi_testkit::{Fault, Family};
        ///
        /// let stream = Fault::all().filter(|fault| fault.family() == Family::Stream);
        /// assert!(stream.count() > 10);
        /// assert_eq!(Fault::ClosedInBody.to_string(), "closed_in_body");
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Fault {
            $($($(#[$doc])* $variant,)*)*
            /// An error status that nobody signed, in place of the answer, as from a proxy in
            /// between. [`Fault::UNCODED`] lists those that are worth a test.
            Uncoded(u16),
            /// A problem of the contract with this code, in place of the answer, in the Runtime's
            /// name.
            Coded(Code),
        }

        /// What kind of a thing a [`Fault`] is: who commits it, and where.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Family {
            $($(#[$family_doc])* $family,)*
            /// What the Runtime says is a problem, and nothing is wrong with the wire.
            Coded,
        }

        impl Fault {
            /// Every fault without a parameter.
            const PLAIN: &'static [Self] = &[$($(Self::$variant,)*)*];

            /// Its name: what the network does, in `snake_case`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $($(Self::$variant => $name,)*)*
                    Self::Uncoded(_) => "uncoded",
                    Self::Coded(_) => "coded",
                }
            }

            /// Its family.
            #[must_use]
            pub const fn family(self) -> Family {
                match self {
                    $($(Self::$variant => Family::$family,)*)*
                    Self::Uncoded(_) => Family::Answer,
                    Self::Coded(_) => Family::Coded,
                }
            }
        }
    };
}

faults! {
    /// There is no connection. The request does not leave.
    Connect {
        /// The name of the Runtime's machine does not resolve.
        NameDoesNotResolve = "name_does_not_resolve";
        /// Nobody listens at the Runtime's port.
        ConnectionRefused = "connection_refused";
        /// TLS is spoken to somebody who does not speak it.
        TlsHandshakeFails = "tls_handshake_fails";
        /// The machine takes no more connections and refuses none: its queue is full.
        ConnectNeverCompletes = "connect_never_completes";
    }
    /// There is no whole head of an answer, or it is late.
    Head {
        /// The connection is reset as the request arrives. The Runtime never sees it.
        RequestLost = "request_lost";
        /// The Runtime answers, and the connection is closed before the first byte of it.
        ClosedBeforeHead = "closed_before_head";
        /// The Runtime answers, and the connection is reset before the first byte of it.
        ResetBeforeHead = "reset_before_head";
        /// The connection is closed within the head of the answer.
        ClosedInHead = "closed_in_head";
        /// The connection is reset within the head of the answer.
        ResetInHead = "reset_in_head";
        /// The Runtime answers, and not a byte of it arrives. The connection stays.
        NoHead = "no_head";
        /// Part of the head arrives, and nothing more. The connection stays.
        HeadStalls = "head_stalls";
        /// The answer arrives late, but in time.
        SlowHead = "slow_head";
    }
    /// There is a head, and something is wrong with the body.
    Body {
        /// The connection is closed within the body.
        ClosedInBody = "closed_in_body";
        /// The connection is reset within the body.
        ResetInBody = "reset_in_body";
        /// Part of the body arrives, and nothing more. The connection stays.
        BodyStalls = "body_stalls";
        /// The body arrives a byte at a time and never ends.
        BodyTrickles = "body_trickles";
        /// The body arrives late, but in time.
        SlowBody = "slow_body";
        /// The body arrives whole, each byte in a chunk of its own.
        BodyInPieces = "body_in_pieces";
        /// The body is longer than any answer may be.
        OversizedBody = "oversized_body";
        /// The body is as long as announced, and its JSON is cut off.
        TruncatedJson = "truncated_json";
    }
    /// There is a whole answer, and it is not the right one.
    Answer {
        /// What answers does not speak HTTP.
        NotHttp = "not_http";
        /// The answer is a redirect.
        Redirected = "redirected";
        /// The answer does not name its source.
        AnonymousAnswer = "anonymous_answer";
        /// The answer is a page for people.
        NotJson = "not_json";
        /// The answer is JSON of another shape.
        AnotherShape = "another_shape";
        /// Another Runtime answers: the head names it.
        AnotherRuntimesAnswer = "another_runtimes_answer";
        /// The body is about another Runtime than the head says.
        AnotherRuntimesBody = "another_runtimes_body";
        /// The body is about another Worker than was asked for.
        AnotherWorkersAnswer = "another_workers_answer";
        /// The answer is a problem of the contract under a status that is not its code's.
        ProblemOfAnotherStatus = "problem_of_another_status";
        /// The answer is a problem of the contract that does not name its source. The Runtime never
        /// sees the request.
        UnsignedProblem = "unsigned_problem";
        /// The answer is a problem whose code nobody knows yet.
        UnknownCode = "unknown_code";
        /// The answer is a problem of the contract, and the head names another Runtime.
        AnotherRuntimesProblem = "another_runtimes_problem";
        /// The answer is a problem of the contract that does not say what the command did.
        ProblemWithoutEffect = "problem_without_effect";
        /// The answer is that the store failed, and that the Runtime does not know what it wrote.
        StoreFailedUncertain = "store_failed_uncertain";
        /// The answer is that the time was up, and that the Runtime does not know what was done.
        TimedOutUncertain = "timed_out_uncertain";
        /// The Runtime takes a new credential from now on, which is there to be read, and refuses
        /// the old one.
        CredentialRotated = "credential_rotated";
        /// The request for a WebSocket arrives as an ordinary one: a proxy in between knows none.
        UpgradeStripped = "upgrade_stripped";
    }
    /// An observation that stands goes wrong. Each strikes a stream that is caught up, once: those
    /// about an event the next one, a silence the next thing that is said, all others at once.
    Stream {
        /// The connection is closed without a word.
        StreamClosed = "stream_closed";
        /// The connection is reset.
        StreamReset = "stream_reset";
        /// The connection is reset within a frame.
        ResetInFrame = "reset_in_frame";
        /// Nothing passes any more, either way, and the connection stays.
        HalfOpen = "half_open";
        /// Pings are not answered. All else passes.
        NoPong = "no_pong";
        /// An event comes twice.
        EventTwice = "event_twice";
        /// Two events come in the wrong order.
        EventsSwapped = "events_swapped";
        /// An event is missing.
        EventSkipped = "event_skipped";
        /// A frame is longer than any may be.
        OversizedFrame = "oversized_frame";
        /// A text is no frame.
        NotAFrame = "not_a_frame";
        /// A message is not a text.
        BinaryMessage = "binary_message";
        /// The bytes are not what a WebSocket may say.
        BrokenFrame = "broken_frame";
        /// An event is about another Worker.
        AnotherWorkersFrame = "another_workers_frame";
        /// An event is of a type that nobody knows yet.
        UnknownEventType = "unknown_event_type";
        /// A frame comes in as many fragments as it has bytes.
        FrameInPieces = "frame_in_pieces";
        /// The Runtime ends the stream: the credential is no longer good.
        CredentialExpires = "credential_expires";
        /// The Runtime ends the stream: what follows is no longer kept.
        CursorExpires = "cursor_expires";
        /// The Runtime ends the stream: it does not know this life of the Worker any more.
        CursorForgotten = "cursor_forgotten";
        /// The Runtime ends the stream: there is no such Worker any more.
        WorkerForgotten = "worker_forgotten";
        /// The Runtime ends the stream: it shuts down.
        StreamDrains = "stream_drains";
        /// The Runtime ends the stream: its reader was too slow.
        ReaderTooSlow = "reader_too_slow";
        /// The Runtime ends the stream: something in it broke.
        StreamFails = "stream_fails";
        /// The Runtime ends the stream as complete, and the Worker was never stopped.
        EndsBeforeStopped = "ends_before_stopped";
    }
    /// The wire is well, and something inside the Runtime is not.
    Runtime {
        /// The store writes nothing.
        StoreRefuses = "store_refuses";
        /// The store does not know whether it wrote.
        StoreUncertain = "store_uncertain";
        /// A write does not return.
        WriteHangs = "write_hangs";
        /// Nothing can be read.
        ReadFails = "read_fails";
        /// A read does not return.
        ReadHangs = "read_hangs";
        /// There are as many Workers as there may be.
        WorkersAtLimit = "workers_at_limit";
        /// There are as many runs as there may be.
        RunsAtLimit = "runs_at_limit";
        /// There are as many observers as there may be.
        StreamsAtLimit = "streams_at_limit";
        /// As many idempotency keys are remembered as may be. A Backend sends one with every
        /// command; a command without one does not meet this.
        KeysAtLimit = "keys_at_limit";
        /// The Runtime's clock is set back.
        ClockStepsBack = "clock_steps_back";
        /// The Runtime's clock leaps ahead.
        ClockLeapsAhead = "clock_leaps_ahead";
        /// The Runtime shuts down: it is still there, and takes no more commands.
        RuntimeDrains = "runtime_drains";
    }
}

impl Fault {
    /// The statuses of [`Fault::Uncoded`] that are worth a test: each that the link table names,
    /// and some that it does not.
    pub const UNCODED: &'static [u16] = &[
        400, 401, 403, 404, 405, 408, 409, 410, 413, 418, 421, 422, 429, 451, 500, 501, 502, 503,
        504, 507,
    ];

    /// Every fault, with each parameter that is worth a test.
    pub fn all() -> impl Iterator<Item = Self> {
        let plain = Self::PLAIN.iter().copied();
        let uncoded = Self::UNCODED.iter().copied().map(Self::Uncoded);
        let coded = Code::ALL.iter().copied().map(Self::Coded);
        plain.chain(uncoded).chain(coded)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uncoded(status) => write!(f, "uncoded {status}"),
            Self::Coded(code) => write!(f, "coded {code}"),
            _ => f.write_str(self.name()),
        }
    }
}
