//! The one address of a fake: WebSockets go one way, everything else to wiremock.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::shared::Shared;
use crate::engine;
use crate::link::head::{self, Head};

/// Takes connections for as long as it is polled. Each carries one exchange, so that every request
/// is seen here, and none waits behind another.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        // A connection that was gone before it was taken is nobody's.
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let shared = shared.clone();
        // A caller that hangs up in the middle has its reasons.
        let exchange = async move { exchange(stream, &shared).await.ok() };
        connections.spawn(engine::minded(exchange));
        while connections.try_join_next().is_some() {}
    }
}

async fn exchange(mut stream: TcpStream, shared: &Arc<Shared>) -> io::Result<()> {
    let Some((head, rest)) = head::read(&mut stream).await? else {
        return Ok(());
    };
    if head.wants_upgrade() {
        return super::upgrade::arrive(stream, head, shared).await;
    }
    let Some(stream) = super::upgrade::stripped(stream, &head, shared).await? else {
        return Ok(());
    };
    forward(stream, head, &rest, shared.server_address()).await
}

async fn forward(
    mut caller: TcpStream,
    mut head: Head,
    rest: &[u8],
    to: SocketAddr,
) -> io::Result<()> {
    let mut server = TcpStream::connect(to).await?;
    head.set("connection", "close");
    server.write_all(&head.to_bytes()).await?;
    server.write_all(rest).await?;
    let (mut from_caller, mut to_caller) = caller.split();
    let (mut from_server, mut to_server) = server.split();
    let asking = async {
        tokio::io::copy(&mut from_caller, &mut to_server).await?;
        // The caller says no more, and may still listen.
        std::future::pending::<io::Result<()>>().await
    };
    let answering = async {
        tokio::io::copy(&mut from_server, &mut to_caller).await?;
        to_caller.shutdown().await
    };
    tokio::select! {
        asked = asking => asked,
        answered = answering => answered,
    }
}
