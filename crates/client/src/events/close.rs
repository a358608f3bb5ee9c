//! Why a stream ended: its final diagnostic and its close code, read back.

use yoi_protocol::{Code, Effect, Failure, FrameDiagnostic, Origin, StreamEnd};

use crate::classify;

/// What the far end said when it ended the stream.
///
/// The diagnostic is the word; the close code alone speaks only where it leaves nothing open: that
/// a worker does not exist, say, is believed of a coded word only.
pub(super) fn end(
    link: bool,
    diagnostic: Option<&FrameDiagnostic>,
    close_code: Option<u16>,
) -> StreamEnd {
    match (diagnostic, close_code) {
        (Some(diagnostic), _) => said(link, &diagnostic.code),
        (None, Some(1000)) => StreamEnd::Complete,
        (None, Some(1008)) => StreamEnd::ObservationOnly,
        (None, Some(1012)) => StreamEnd::Draining,
        (None, Some(1013)) => StreamEnd::SlowConsumer,
        (None, Some(1011)) => StreamEnd::Failed(
            Failure::new(Code::RuntimeFailed)
                .by(Origin::Runtime)
                .with_effect(Effect::None),
        ),
        // 1001: a proxy that goes away. None: the connection was cut.
        (None, Some(1001 | 1005 | 1006) | None) => reset(),
        (None, Some(_)) => garbled(),
    }
}

/// The connection was cut.
pub(super) fn reset() -> StreamEnd {
    failed(classify::transport(crate::transport::TransportFault::Reset))
}

/// What came is not the contract.
pub(super) fn garbled() -> StreamEnd {
    failed(classify::garbled())
}

/// Nothing came for too long.
pub(super) fn silent() -> StreamEnd {
    failed(classify::body_stalled())
}

/// An observation changes nothing, however it ends.
fn failed(failure: Failure) -> StreamEnd {
    StreamEnd::Failed(failure.with_effect(Effect::None))
}

fn said(link: bool, code: &str) -> StreamEnd {
    match code {
        "slow_consumer" => StreamEnd::SlowConsumer,
        "draining" => StreamEnd::Draining,
        "observation_only" => StreamEnd::ObservationOnly,
        other => match Code::ALL.iter().find(|code| code.as_str() == other) {
            Some(code) if link => failed(classify::passed_on(Failure::new(*code))),
            Some(code) => failed(Failure::new(*code)),
            None => garbled(),
        },
    }
}
