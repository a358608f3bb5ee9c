//! Where connections come in.

use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

/// How long to wait before the next try when nobody can be let in: the process may have no file
/// left, and gets none by asking all the time.
const PAUSE: Duration = Duration::from_millis(10);

/// The next connection, each byte of which is sent as it is said.
pub(crate) async fn next(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let _ = stream.set_nodelay(true);
                return stream;
            }
            Err(_) => sleep(PAUSE).await,
        }
    }
}
