//! What a stream says at its end, for every way to end.

use yoi_protocol::{Code, Failure, RuntimeId, StreamEnd, Subject, WorkerId};

/// Every kind of end, with its close code and the code of its last words.
pub(crate) fn ends() -> Vec<(StreamEnd, u16, Option<&'static str>)> {
    let failed = |code: Code| StreamEnd::Failed(Failure::new(code));
    let mut all = vec![
        (StreamEnd::Complete, 1000, None),
        (StreamEnd::SlowConsumer, 1013, Some("slow_consumer")),
        (StreamEnd::Draining, 1012, Some("draining")),
    ];
    for (code, close) in [
        (Code::CursorInvalid, 4400),
        (Code::Unauthorized, 4401),
        (Code::OperationDenied, 4403),
        (Code::WorkerNotFound, 4404),
        (Code::RuntimeNotFound, 4404),
        (Code::CursorExpired, 4410),
        (Code::CursorUnknown, 4410),
        (Code::OperationUnsupported, 4501),
        (Code::RuntimeUnreachable, 4502),
        (Code::RuntimeUnavailable, 4503),
        (Code::RuntimeTimedOut, 4504),
    ] {
        all.push((failed(code), close, Some(code.as_str())));
    }
    all
}

pub(crate) fn about() -> Subject {
    Subject {
        runtime_id: Some(RuntimeId::parse("rt-1").unwrap()),
        worker_id: Some(WorkerId::parse("w-1").unwrap()),
        request_id: None,
    }
}
