//! Answers that are kept in a snapshot.

use serde_json::{Value, json};

use super::served::Setup;
use super::{Answer, Served, WAIT};
use crate::answers::{Book, Told};

/// A Runtime that answers the same in every run.
pub(crate) async fn repeatable(change: impl FnOnce(&mut Setup)) -> Served {
    Served::with(|setup| {
        setup.repeatable = true;
        change(setup);
    })
    .await
}

impl Served {
    /// Asks, and keeps the answer under its cause, which names the request, too.
    pub(crate) async fn keep(
        &self,
        book: &mut Book,
        cause: &str,
        (method, path): (&str, &str),
        headers: &[(&str, &str)],
        body: Option<&str>,
    ) -> Answer {
        let id = format!("req-{cause}");
        let mut all = vec![("x-request-id", id.as_str())];
        all.extend(headers);
        let answer = self.ask(method, path, &all, body).await;
        book.tell(cause, format!("{method} {path}"), told(&answer));
        answer
    }

    /// Waits until a Worker has nothing to do.
    pub(crate) async fn until_idle(&self, worker: &str) {
        let path = format!("/v1/workers/{worker}");
        let deadline = tokio::time::Instant::now() + WAIT;
        loop {
            let worker = self.get(&path).await.value(200);
            if worker["status"] == "idle" {
                return;
            }
            assert!(tokio::time::Instant::now() < deadline, "still {worker}");
        }
    }
}

fn told(answer: &Answer) -> Told {
    let header = |name: &str| {
        answer
            .headers
            .get(name)
            .map(|value| value.to_str().unwrap())
    };
    let mut told = Told::new(answer.status.as_u16(), header, &answer.body);
    settle(&mut told.body);
    told
}

/// Takes out what follows the version and the features of the build, and what has a snapshot of
/// its own, having looked at it.
fn settle(body: &mut Value) {
    if body.get("openapi").is_some() {
        assert_eq!(*body, worker_runtime::http::document());
        *body = json!("[as in runtime_openapi]");
    }
    if let Some(version) = body.get_mut("version") {
        assert_eq!(version, env!("CARGO_PKG_VERSION"));
        *version = json!("[version]");
    }
    if let Some(capabilities) = body.get_mut("capabilities") {
        let all = capabilities.as_array_mut().unwrap();
        let ws = all.iter().position(|one| one == "events.ws");
        assert_eq!(ws.is_some(), cfg!(feature = "ws-server"));
        ws.map(|at| all.remove(at));
    }
}
