//! What a Backend can be pointed at.

use yoi_protocol::RuntimeId;
use yoi_workspace_server::RemoteSettings;

/// A Runtime that a [`TestBackend`](crate::TestBackend) can reach over the wire.
///
/// A [`TestRuntime`](crate::TestRuntime) is one, and so is all that stands in for one or in front
/// of one: a test says who is reached, and the rest of it stays the same. Whoever has a double of
/// their own implements this for it.
///
/// ```
/// use yoi_protocol::RuntimeId;
/// use yoi_testkit::{RemoteRuntime, TestBackend};
/// use yoi_workspace_server::RemoteSettings;
///
/// /// A Runtime at whose address nobody listens.
/// struct Nowhere(RuntimeId);
///
/// impl RemoteRuntime for Nowhere {
///     fn id(&self) -> &RuntimeId {
///         &self.0
///     }
///
///     fn remote_settings(&self) -> RemoteSettings {
///         RemoteSettings::new("http://127.0.0.1:1")
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let nowhere = Nowhere(RuntimeId::parse("gpu-1").unwrap());
/// let backend = TestBackend::builder().remote(&nowhere).start().await;
/// # }
/// ```
pub trait RemoteRuntime {
    /// The id under which a Backend knows it.
    fn id(&self) -> &RuntimeId;

    /// How a Backend reaches it: its address, and the token that it wants.
    fn remote_settings(&self) -> RemoteSettings;
}
