//! An observer.

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use yoi_protocol::Problem;

use crate::support::{Served, WAIT};

pub(crate) struct Observer(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Observer {
    /// An observer, or the problem that the upgrade was refused with.
    pub(crate) async fn connect(
        served: &Served,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, Problem> {
        let url = format!("ws://{}{path}", served.address);
        let mut request = url.into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        match connect_async(request).await {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(tungstenite::Error::Http(answer)) => {
                let body = answer.body().as_ref().unwrap();
                Err(serde_json::from_slice(body).unwrap())
            }
            Err(other) => panic!("no answer: {other}"),
        }
    }

    pub(crate) async fn say(&mut self, message: Message) {
        self.0.send(message).await.unwrap();
    }

    /// The next frame, or the close code.
    pub(crate) async fn next(&mut self) -> Result<Value, Option<u16>> {
        loop {
            let message = tokio::time::timeout(WAIT, self.0.next()).await;
            match message.expect("something should have come") {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(close))) => return Err(close.map(|close| close.code.into())),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(None),
            }
        }
    }

    /// What comes until the close, as the type of each event and control or the code of each
    /// diagnostic, and the close code. Deltas are left out.
    pub(crate) async fn rest(&mut self) -> (Vec<String>, Option<u16>) {
        let mut told = Vec::new();
        loop {
            match self.next().await {
                Ok(frame) => told.extend(what(&frame)),
                Err(code) => return (told, code),
            }
        }
    }

    /// Frames up to the first that tells of `wanted`.
    pub(crate) async fn until(&mut self, wanted: &str) -> Vec<Value> {
        let mut all = Vec::new();
        loop {
            let frame = self.next().await;
            let frame = frame.unwrap_or_else(|code| panic!("closed with {code:?} after {all:?}"));
            let found = what(&frame).as_deref() == Some(wanted);
            all.push(frame);
            if found {
                return all;
            }
        }
    }
}

pub(crate) fn what(frame: &Value) -> Option<String> {
    let kind = frame["kind"].as_str().unwrap();
    let key = match kind {
        "delta" => return None,
        "diagnostic" => "code",
        _ => "type",
    };
    Some(frame[kind][key].as_str().unwrap().to_owned())
}
