//! What is wrong with the first answer of a Runtime that does not say what it is.

use std::time::Duration;

use futures_util::StreamExt;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use tokio::time::{Instant, timeout};
use yoi_client::Transport;
use yoi_client::transport::{Request, Response};
use yoi_protocol::{RuntimeInfo, header, path};

/// The most that is read of it, in bytes.
const LARGEST: usize = 1 << 20;

/// Asks once more what a Runtime is, and says what is wrong with the answer, if that can be seen.
pub(crate) async fn fault(
    transport: &dyn Transport,
    base: &str,
    token: Option<&str>,
    patience: Duration,
) -> Option<String> {
    let mut headers = HeaderMap::new();
    if let Some(token) = token {
        let mut value = HeaderValue::from_str(&format!("Bearer {token}")).ok()?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    let request = Request {
        method: Method::GET,
        uri: format!("{}{}", base.trim_end_matches('/'), path::runtime::RUNTIME)
            .parse()
            .ok()?,
        headers,
        body: None,
        head_by: Instant::now() + patience,
    };
    let response = transport.send(request).await.ok()?;
    timeout(patience, in_answer(response)).await.ok()?
}

async fn in_answer(mut response: Response) -> Option<String> {
    let status = response.status.as_u16();
    if status != 200 {
        return Some(format!("status {status}, not 200"));
    }
    let said = |name: &str| {
        response
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    let Some(runtime_id) = said(header::RUNTIME_ID).map(str::to_owned) else {
        return Some(format!("200 without the header {}", header::RUNTIME_ID));
    };
    let media = said(CONTENT_TYPE.as_str()).unwrap_or_default();
    if media.split(';').next().unwrap_or_default().trim() != "application/json" {
        return Some(format!(
            "200 with content-type {media:?}, not application/json"
        ));
    }
    let mut body = Vec::new();
    while let Some(piece) = response.body.next().await {
        body.extend_from_slice(&piece.ok()?);
        if body.len() > LARGEST {
            return Some(format!("200 with over {LARGEST} bytes"));
        }
    }
    match serde_json::from_slice::<RuntimeInfo>(&body) {
        Err(error) => Some(format!(
            "200 with a body that is not what it must be: {error}"
        )),
        Ok(info) if info.runtime_id.as_str() != runtime_id => Some(format!(
            "200 with {} {runtime_id:?}, but runtime_id {:?}",
            header::RUNTIME_ID,
            info.runtime_id.as_str()
        )),
        Ok(_) => None,
    }
}
