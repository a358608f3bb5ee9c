//! One route of a fake, and what it answers.

use std::fmt;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use wiremock::{Mock, Request, ResponseTemplate};
use yoi_protocol::{Code, Failure, Operation, Problem, RuntimeId, WorkerId};

use super::Received;
use super::answer::{self, Answer};
use super::mounted::{Asks, MountedStub, Often};
use super::shared::Shared;
use crate::fixtures::{Fixture, problems};
use crate::host::{runtime_id, text_of};

/// What a [`FakeRuntime`](super::FakeRuntime) answers on one route, before it does.
///
/// `T` is the body of a success there. Whatever is not said is as a Runtime does it: the status
/// of the route, the headers that name the source, and the [fixture](crate::fixtures) as the body,
/// told of this Runtime and this Worker.
///
/// Of several stubs for one route the one that was mounted first answers, until it has answered as
/// often as [`first`](Self::first) says.
///
/// ```
/// use yoi_protocol::{Code, InputAccepted, InputRequest};
/// use yoi_testkit::{FakeRuntime, TestBackend, fixtures};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let fake = FakeRuntime::start("gpu-1").await;
/// let backend = TestBackend::builder().fake(&fake).start().await;
/// let busy = fake.send_input("w-1").refuses(Code::WorkerBusy).first(1).mount().await;
/// let taken = fake.send_input("w-1").answers_with(|request| InputAccepted {
///     sequence: request.json::<InputRequest>().content.len() as u64,
///     ..fixtures::bodies::input_accepted()
/// });
/// let taken = taken.mount().await;
///
/// let browser = backend.browser();
/// let input = || browser.ask("POST", "/api/runtimes/gpu-1/workers/w-1/input");
/// input().json(&InputRequest::new("four")).await.expect(409);
/// let accepted = input().json(&InputRequest::new("four")).await.expect(202);
/// assert_eq!(accepted.json()["sequence"], 4);
/// busy.verify();
/// taken.verify();
/// # }
/// ```
#[must_use = "nothing is answered until mount()"]
pub struct Stub<T> {
    shared: Arc<Shared>,
    reply: Reply,
    first: Option<u64>,
    often: Often,
    body: PhantomData<fn(T)>,
}

/// What is answered. It outlives the stub inside the server of the fake, and so knows nothing of
/// that server.
struct Reply {
    id: RuntimeId,
    route: Route,
    says: Says,
    headers: Vec<(String, String)>,
    source: Option<RuntimeId>,
    delay: Option<Duration>,
}

/// A route of the Runtime API, with the ids filled in.
#[derive(Clone)]
pub(super) struct Route {
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) operation: Option<Operation>,
    pub(super) worker_id: Option<WorkerId>,
    pub(super) status: u16,
}

/// What is said: it may depend on what was asked.
type Says = Arc<dyn Fn(&Received) -> Said + Send + Sync>;

enum Said {
    Value(Value),
    Failed(Failure),
    Whole(Answer),
}

impl<T: Serialize + DeserializeOwned + 'static> Stub<T> {
    pub(super) fn new(shared: Arc<Shared>, route: Route, fixture: &'static Fixture) -> Self {
        let id = shared.id().clone();
        let reply = Reply {
            source: Some(id.clone()),
            says: fixture_of(&id, &route, fixture),
            id,
            route,
            headers: Vec::new(),
            delay: None,
        };
        Self {
            shared,
            reply,
            first: None,
            often: Often::AtLeastOnce,
            body: PhantomData,
        }
    }

    /// Answers with this body, as it is: its ids are the caller's affair.
    pub fn answers(self, body: &T) -> Self {
        let value = json(body);
        self.says(move |_| Said::Value(value.clone()))
    }

    /// Answers with a body that depends on the request.
    ///
    /// What panics in `body`, an assertion about the request, is answered 501, and fails the test
    /// when the fake is dropped.
    pub fn answers_with(self, body: impl Fn(&Received) -> T + Send + Sync + 'static) -> Self {
        self.says(move |request| Said::Value(json(&body(request))))
    }

    /// Answers with another fixture than that of the route, told of this Runtime and this Worker.
    ///
    /// # Panics
    /// When there is none of that name, or the body of this route is of another type.
    #[track_caller]
    pub fn answers_fixture(mut self, name: &str) -> Self {
        let fixture = crate::fixtures::get(name);
        if let Err(error) = serde_json::from_str::<T>(fixture.text()) {
            panic!(
                "{name} is not what {} answers: {error}",
                self.reply.route.name()
            );
        }
        self.reply.says = fixture_of(&self.reply.id, &self.reply.route, fixture);
        self
    }

    /// Refuses with a code: a problem with its status, its details, its headers, and the effect
    /// that the code has unless it is said.
    pub fn refuses(self, code: Code) -> Self {
        let failure = problems::failure(code, self.reply.route.operation);
        self.refuses_as(failure)
    }

    /// Refuses with a failure: the problem that a Runtime makes of it on this route.
    pub fn refuses_as(self, failure: Failure) -> Self {
        self.says(move |_| Said::Failed(failure.clone()))
    }

    /// Refuses with this problem, as it is, under the status that it names.
    pub fn refuses_with(self, problem: &Problem) -> Self {
        let answer = Answer::problem(problem);
        self.says(move |_| Said::Whole(answer.clone()))
    }

    /// Answers with these bytes, whatever they are. The headers that name the source are still
    /// there: see [`anonymous`](Self::anonymous).
    pub fn answers_raw(self, status: u16, content_type: &str, bytes: impl Into<Vec<u8>>) -> Self {
        let answer = Answer::raw(status, content_type, bytes);
        self.says(move |_| Said::Whole(answer.clone()))
    }

    /// Answers with a bare status that nobody signed, as something in between does:
    /// [`Fault::Uncoded`](crate::Fault::Uncoded), on this route.
    pub fn uncoded(self, status: u16) -> Self {
        self.answers_raw(status, "text/plain", "").anonymous()
    }

    /// Says one more header, or another value of one that is said anyway.
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.reply
            .headers
            .push((name.to_ascii_lowercase(), value.to_owned()));
        self
    }

    /// Names another Runtime as the source of the answer.
    ///
    /// # Panics
    /// When `id` is no id.
    pub fn named_by(mut self, id: &str) -> Self {
        self.reply.source = Some(runtime_id(id));
        self
    }

    /// Names nobody as the source, as a proxy's answer does.
    pub fn anonymous(mut self) -> Self {
        self.reply.source = None;
        self
    }

    /// Answers so much later, by the machine's clock.
    pub fn after(mut self, delay: Duration) -> Self {
        self.reply.delay = Some(delay);
        self
    }

    /// Expects exactly so many requests; at least one if nothing is said.
    pub fn times(mut self, n: u64) -> Self {
        self.often = Often::Exactly(n);
        self
    }

    /// Expects any number of requests, also none.
    pub fn any_times(mut self) -> Self {
        self.often = Often::Any;
        self
    }

    /// Answers only so many requests, and expects them; the next is for the next stub of this
    /// route.
    ///
    /// # Panics
    /// When `n` is 0: such a stub would answer nothing.
    pub fn first(mut self, n: u64) -> Self {
        assert!(
            n > 0,
            "a stub that answers the first 0 requests answers none"
        );
        self.first = Some(n);
        self.times(n)
    }

    /// Answers from here on. What is returned fails the test when it is dropped and was not asked
    /// as often as it should have been; the route is without this stub then.
    pub async fn mount(self) -> MountedStub {
        let Self {
            shared,
            reply,
            first,
            often,
            ..
        } = self;
        let name = reply.route.name();
        shared.unexpected.mounted(&name);
        let asks = Arc::new(Asks::new(name, often));
        let (method, path) = (reply.route.method, reply.route.path.clone());
        let still = asks.clone();
        let given = move |request: &Request| {
            still.held() && request.method.as_str() == method && request.url.path() == path
        };
        let (recorded, unexpected) = (asks.clone(), shared.unexpected.clone());
        let mock = Mock::given(given).respond_with(move |request: &Request| {
            let asked = Received::of_wiremock(request);
            recorded.came(asked.clone());
            // It runs on threads that nobody asks: what a test asserts there is told by the fake.
            let told = catch_unwind(AssertUnwindSafe(|| reply.template(&asked)));
            told.unwrap_or_else(|payload| {
                unexpected.panicked(asked, text_of(&*payload));
                answer::unexpected().into_template(None)
            })
        });
        let mock = match first {
            Some(n) => mock.up_to_n_times(n),
            None => mock,
        };
        shared.mount(mock).await;
        MountedStub::new(asks)
    }

    fn says(mut self, says: impl Fn(&Received) -> Said + Send + Sync + 'static) -> Self {
        self.reply.says = Arc::new(says);
        self
    }
}

impl Reply {
    fn template(&self, asked: &Received) -> ResponseTemplate {
        let route = &self.route;
        let answer = match (self.says)(asked) {
            Said::Value(value) => self.success(&value),
            Said::Failed(failure) => {
                let worker_id = route.worker_id.clone().or_else(|| asked_for(asked));
                let (id, operation) = (&self.id, route.operation);
                let problem = answer::told(failure, id, worker_id.as_ref(), operation, asked);
                Answer::problem(&problem)
            }
            Said::Whole(answer) => answer,
        };
        let mut answer = answer.to(asked);
        if let Some(source) = &self.source {
            answer = answer.named_by(source);
        }
        for (name, value) in &self.headers {
            answer = answer.with(name, value);
        }
        answer.into_template(self.delay)
    }

    /// A body under the status of the route; one that was created says where it is.
    fn success(&self, value: &Value) -> Answer {
        let Route { status, path, .. } = &self.route;
        let answer = Answer::json(*status, value);
        match value["worker_id"].as_str() {
            Some(id) if *status == 201 => answer.with("location", &format!("{path}/{id}")),
            _ => answer,
        }
    }
}

impl Route {
    fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

fn fixture_of(id: &RuntimeId, route: &Route, fixture: &'static Fixture) -> Says {
    let (id, worker_id) = (id.clone(), route.worker_id.clone());
    Arc::new(move |asked| {
        let mut value = fixture.json();
        let worker_id = worker_id.clone().or_else(|| asked_for(asked));
        answer::retold(&mut value, &id, worker_id.as_ref());
        Said::Value(value)
    })
}

/// The Worker that the body of a create names.
fn asked_for(asked: &Received) -> Option<WorkerId> {
    let body = asked.maybe_json()?;
    WorkerId::parse(body.get("worker_id")?.as_str()?).ok()
}

fn json(body: &impl Serialize) -> Value {
    serde_json::to_value(body).unwrap_or_else(|error| panic!("the body is not JSON: {error}"))
}

impl<T> fmt::Debug for Stub<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Stub")
            .field(&self.reply.route.name())
            .finish()
    }
}
