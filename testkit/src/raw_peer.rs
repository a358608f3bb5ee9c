//! A peer that says what no library would.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use yoi_protocol::RuntimeId;
use yoi_workspace_server::RemoteSettings;

use crate::engine::{self, Task};
use crate::host::runtime_id;
use crate::link::step::{Played, Script, hold, play};
use crate::link::{Step, door};
use crate::patience::{PATIENCE, within};
use crate::{RemoteRuntime, verdict};

/// Stands where a Runtime should be, and does on each connection what a script says: bytes, pauses,
/// ends. For what neither an HTTP library nor a [`Fault`](crate::Fault) can be made to do.
///
/// A connection whose script comes to its end is closed once the far end has left.
///
/// # Panics
/// When it is dropped and a script was for nobody: fewer connections came than there are scripts.
/// [`any_times`](Self::any_times) allows it; a test that is panicking already fails for its own
/// reason.
///
/// ```
/// use yoi_client::{Call, Client};
/// use yoi_protocol::Code;
/// use yoi_testkit::{RawPeer, RemoteRuntime, Step};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let peer = RawPeer::start("gpu-1", [
///     Step::Hear,
///     Step::say("HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n"),
///     Step::Close,
/// ])
/// .await;
/// let client = Client::builder(&peer.remote_settings().base_url).unwrap().build().unwrap();
/// let error = client.runtime_info(&Call::default()).await.unwrap_err();
/// assert_eq!(error.failure.code, Code::RuntimeProtocolError);
/// assert!(peer.requests()[0].starts_with("GET /v1/runtime HTTP/1.1\r\n"));
/// # }
/// ```
#[must_use = "nobody is there any more when this is dropped"]
pub struct RawPeer {
    id: RuntimeId,
    address: SocketAddr,
    heard: Arc<watch::Sender<Vec<String>>>,
    told: Arc<Semaphore>,
    /// How many scripts there are, and how many connections came.
    due: usize,
    came: Arc<AtomicUsize>,
    _accepting: Task<()>,
}

impl RawPeer {
    /// One that does the same on every connection.
    ///
    /// # Panics
    /// When `id` is no id.
    pub async fn start(id: &str, script: impl Into<Vec<Step>>) -> Self {
        Self::start_each(id, [script.into()]).await
    }

    /// One that has a script for each connection, in the order in which they come; the last is for
    /// all that follow as well.
    ///
    /// # Panics
    /// When `id` is no id, or there is no script.
    pub async fn start_each(id: &str, scripts: impl Into<Vec<Vec<Step>>>) -> Self {
        let scripts = scripts.into();
        assert!(
            !scripts.is_empty(),
            "a peer needs a script for its first connection"
        );
        let listener = engine::run(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).await;
        let listener = listener.expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound listener has one");
        let heard = Arc::new(watch::Sender::new(Vec::new()));
        let told = Arc::new(Semaphore::new(0));
        let (due, came) = (scripts.len(), Arc::default());
        let (hears, waits) = (Arc::clone(&heard), Arc::clone(&told));
        let accepting = accept(listener, scripts, Arc::clone(&came), hears, waits);
        Self {
            id: runtime_id(id),
            address,
            heard,
            told,
            due,
            came,
            _accepting: engine::spawn(accepting),
        }
    }

    /// As many connections may come as like: fewer than it has scripts, or none.
    pub fn any_times(mut self) -> Self {
        self.due = 0;
        self
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets one [`Step::Wait`] be over: one that is waited in, or the next.
    pub fn go_on(&self) {
        self.told.add_permits(1);
    }

    /// Every request that a [`Step::Hear`] has read, whole: head and body as text.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        self.heard.borrow().clone()
    }

    /// Waits until so many requests were read.
    ///
    /// # Panics
    /// When they were not within 20 seconds, with those that were.
    pub async fn until_heard(&self, count: usize) {
        let mut heard = self.heard.subscribe();
        let enough = heard.wait_for(|requests| requests.len() >= count);
        if within(PATIENCE, enough).await.is_err() {
            panic!(
                "not {count} requests within {PATIENCE:?}, but {:#?}",
                self.requests()
            );
        }
    }
}

impl RemoteRuntime for RawPeer {
    fn id(&self) -> &RuntimeId {
        &self.id
    }

    fn remote_settings(&self) -> RemoteSettings {
        RemoteSettings::new(format!("http://{}", self.address))
    }
}

/// Takes connections until it is dropped, and all of them with it.
async fn accept(
    listener: TcpListener,
    scripts: Vec<Script>,
    came: Arc<AtomicUsize>,
    heard: Arc<watch::Sender<Vec<String>>>,
    told: Arc<Semaphore>,
) {
    let mut open = JoinSet::new();
    loop {
        let stream = door::next(&listener).await;
        let turn = came.fetch_add(1, Ordering::SeqCst);
        let script = scripts[turn.min(scripts.len() - 1)].clone();
        let served = serve(stream, script, Arc::clone(&heard), Arc::clone(&told));
        open.spawn(engine::minded(served));
        while open.try_join_next().is_some() {}
    }
}

async fn serve(
    mut stream: TcpStream,
    script: Script,
    heard: Arc<watch::Sender<Vec<String>>>,
    told: Arc<Semaphore>,
) {
    let played = play(&mut stream, script, &told, |head, body| {
        let request = [head.to_bytes(), body].concat();
        let request = String::from_utf8_lossy(&request).into_owned();
        heard.send_modify(|requests| requests.push(request));
    });
    if played.await == Played::On {
        hold(&mut stream).await;
    }
}

impl Drop for RawPeer {
    fn drop(&mut self) {
        let Self { id, due, came, .. } = self;
        let came = came.load(Ordering::SeqCst);
        if came >= *due {
            return;
        }
        verdict::fail(&match came {
            0 => format!("nobody came to the peer {id}"),
            came => {
                format!("the peer {id} has a script for each of {due} connections, and {came} came")
            }
        });
    }
}

impl fmt::Debug for RawPeer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawPeer")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
