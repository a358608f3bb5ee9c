//! Whoever comes to observe.

use std::io;
use std::sync::Arc;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::runtime::Shared;
use super::{Received, answer};
use crate::link::head::Head;

/// Somebody asks for an upgrade.
pub(super) async fn arrive(
    mut stream: TcpStream,
    head: Head,
    shared: &Arc<Shared>,
) -> io::Result<()> {
    let asked = Received::of_head(&head);
    let answer = shared.gate.answer(&asked).unwrap_or_else(|| {
        shared.unexpected.came(asked);
        answer::unexpected()
    });
    stream.write_all(&answer.into_bytes()).await?;
    stream.shutdown().await
}
