//! Asking for one thing, until it is there or there is no hope.

use http::HeaderMap;
use serde::de::DeserializeOwned;
use yoi_protocol::header;

use crate::ask::Ask;
use crate::attempts::Attempts;
use crate::body::{self, Body};
use crate::classify::{self, Refusal};
use crate::head::{boot_id, head_of};
use crate::{Answer, Call, CallError, Client};

impl Client {
    /// Asks, over as many attempts as it takes and may take.
    pub(crate) async fn fetch<T: DeserializeOwned>(
        &self,
        ask: &Ask,
        call: &Call,
    ) -> Result<Answer<T>, CallError> {
        self.fetch_if(ask, call, |_| true).await
    }

    /// The same for an answer that must also be within what its type alone does not say.
    pub(crate) async fn fetch_if<T: DeserializeOwned>(
        &self,
        ask: &Ask,
        call: &Call,
        fits: fn(&T) -> bool,
    ) -> Result<Answer<T>, CallError> {
        let mut attempts = Attempts::new(self, ask, call);
        loop {
            match self.attempt(&mut attempts, fits).await {
                Ok(answer) => return Ok(answer),
                Err(refusal) => attempts.after(refusal).await?,
            }
        }
    }

    async fn attempt<T: DeserializeOwned>(
        &self,
        attempts: &mut Attempts<'_>,
        fits: fn(&T) -> bool,
    ) -> Result<Answer<T>, Refusal> {
        let request = attempts.request(HeaderMap::new()).await?;
        let sent = self.inner.transport.send(request).await;
        let response = attempts.judge(sent.map_err(classify::transport)?).await?;
        let headers = response.headers.clone();
        let head = head_of(response.status.as_u16(), &headers);
        let cap = self.caps().answer_bytes;
        let value = match body::read(response, attempts.reading(cap)).await? {
            Body::Whole(body) => classify::success(&head, &body)?,
            Body::OverCap => return Err(classify::garbled().into()),
        };
        if !fits(&value) {
            return Err(classify::garbled().into());
        }
        Ok(Answer {
            value,
            replayed: headers
                .get(header::IDEMPOTENCY_REPLAYED)
                .is_some_and(|value| value == "true"),
            boot_id: boot_id(&headers),
        })
    }
}
