//! What came by.

use std::fmt;

use yoi_protocol::Operation;

use crate::Fault;

/// One request that came to a [`FaultProxy`](crate::FaultProxy), and what became of it.
///
/// ```
/// use yoi_testkit::{Fault, FaultProxy, TestRuntime};
/// # use yoi_client::Call;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let runtime = TestRuntime::builder("gpu-1").start().await;
/// let link = FaultProxy::to(&runtime).await;
/// let fault = link.inject(Fault::Uncoded(404));
/// let client = link.client_builder().build().unwrap();
/// client.runtime_info(&Call::default()).await.unwrap_err();
/// fault.undo();
///
/// let exchange = &link.exchanges()[0];
/// assert_eq!(exchange.to_string(), "GET /v1/runtime (not forwarded) met uncoded 404");
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exchange {
    /// The method, and the path with its query.
    pub line: String,
    /// What it asks for, where that is an operation on Workers.
    pub operation: Option<Operation>,
    /// Whether it was sent on to the Runtime. What was not has certainly changed nothing there.
    pub forwarded: bool,
    /// What happened to it, if something did. A stream may meet more than one: this is the last.
    pub fault: Option<Fault>,
}

impl fmt::Display for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line)?;
        if !self.forwarded {
            f.write_str(" (not forwarded)")?;
        }
        match self.fault {
            Some(fault) => write!(f, " met {fault}"),
            None => Ok(()),
        }
    }
}
