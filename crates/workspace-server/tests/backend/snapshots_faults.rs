//! What each operation answers, and how each watch ends, when the Runtime cannot be had. The rows
//! of the link table one by one are in `link.rs`.

use serde_json::{Value, json};
use yoi_protocol::Code;
use yoi_testkit::Fault;
use yoi_workspace_server::Registration;

use crate::answers::{Book, assert_kept};
use crate::kept::{repeatable, sealing};
use crate::link::impatient;
use crate::support::{Served, registered, remote};

/// What was answered, and how watches ended.
#[derive(Default)]
struct Books {
    answers: Book,
    ends: Book,
}

impl Books {
    /// Asks for each operation of this Runtime, and watches.
    async fn keep(&mut self, served: &Served, runtime: &str, cause: &str, code: Code) {
        let workers = format!("/api/runtimes/{runtime}/workers");
        let one = format!("{workers}/w-1");
        let input = json!({"content": "x"});
        let create = json!({"worker_id": "w-1"});
        let asked: [(&str, String, Option<&Value>); 7] = [
            ("GET", workers.clone(), None),
            ("POST", workers.clone(), Some(&create)),
            ("GET", one.clone(), None),
            ("POST", format!("{one}/input"), Some(&input)),
            ("POST", format!("{one}/cancel"), None),
            ("POST", format!("{one}/stop"), None),
            ("GET", format!("{one}/transcript"), None),
        ];
        for (method, path, body) in asked {
            let asked = (method, path.as_str());
            let reply = served
                .keep(&mut self.answers, cause, asked, &[], body)
                .await;
            assert_eq!(
                reply.body["code"],
                code.as_str(),
                "{cause}: {method} {path}"
            );
        }
        served.keep_watched(&mut self.ends, cause, &one, "").await;
    }
}

/// What happens to every request, and the code that this is.
const FAULTS: [(Fault, Code); 11] = [
    (Fault::ConnectionRefused, Code::RuntimeUnreachable),
    (Fault::NoHead, Code::RuntimeTimedOut),
    (Fault::NotHttp, Code::RuntimeProtocolError),
    (Fault::AnotherRuntimesAnswer, Code::RuntimeIdentityMismatch),
    (Fault::Uncoded(401), Code::RuntimeAuthFailed),
    (Fault::Uncoded(404), Code::OperationUnsupported),
    (Fault::Uncoded(500), Code::RuntimeFailed),
    (Fault::Uncoded(503), Code::RuntimeUnavailable),
    (Fault::Coded(Code::Unavailable), Code::RuntimeUnavailable),
    (Fault::Coded(Code::StoreFailed), Code::StoreFailed),
    (Fault::Coded(Code::TimedOut), Code::TimedOut),
];

#[tokio::test]
async fn every_operation_at_every_fault() {
    let mut books = Books::default();
    let (outside, _script) = remote("outside").await;
    let patient = Served::over(registered(&outside)).await;
    patient.create("outside", "w-1").await;
    for (fault, code) in FAULTS {
        let link = impatient(&outside, fault).await;
        let served = Served::over(registered(&link)).await;
        let _happens = link.inject(fault);
        let cause = fault.to_string().replace(' ', "_");
        books.keep(&served, "outside", &cause, code).await;
    }
    let runtime = repeatable(|builder| builder).await;
    let denied = Registration::embedded(runtime).allow(Some(Vec::new()));
    let denied = Served::start(sealing().runtime(denied)).await;
    books
        .keep(&denied, "inside", "denied", Code::OperationDenied)
        .await;
    books
        .keep(&denied, "none", "no_such_runtime", Code::RuntimeNotFound)
        .await;
    assert_kept!("backend_faults", books.answers);
    assert_kept!("backend_faults_watched", books.ends);
}
