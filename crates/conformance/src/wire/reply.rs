//! A whole answer, and what can be demanded of it.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use serde::de::DeserializeOwned;
use serde_json::Value;
use yoi_protocol::{Code, Effect, Origin, Problem, header};

use crate::unmet::{Unmet, Verdict, broken, holds, same, too_low};

/// A whole answer.
pub(super) struct Reply {
    /// What was asked: method and path.
    pub(super) asked: String,
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Reply {
    /// A header that is there, as text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Holds it to a status.
    pub(super) fn is(&self, status: u16) -> Verdict {
        if self.status != status {
            self.has_room()?;
        }
        holds(self.status == status, || {
            let body = self.text();
            format!("{} gave {}, not {status}: {body}", self.asked, self.status)
        })
    }

    /// Skips a check that reached a limit of the Runtime.
    fn has_room(&self) -> Verdict {
        if self.status != Code::LimitReached.status() {
            return Ok(());
        }
        let problem: Option<Problem> = serde_json::from_slice(&self.body).ok();
        let limit = problem.and_then(|problem| problem.details.limit);
        limit.as_deref().and_then(too_low).map_or(Ok(()), Err)
    }

    /// Its media type, without parameters.
    pub(super) fn media_type(&self) -> &str {
        let text = self.header(CONTENT_TYPE.as_str()).unwrap_or_default();
        text.split(';').next().unwrap_or_default().trim()
    }

    /// The JSON of a success.
    pub(super) fn value(&self, status: u16) -> Result<Value, Unmet> {
        self.read(status)
    }

    /// The body of a success, as its type.
    pub(super) fn read<T: DeserializeOwned>(&self, status: u16) -> Result<T, Unmet> {
        self.is(status)?;
        holds(self.media_type() == "application/json", || {
            let found = self.media_type();
            format!("{} gave {found:?}, not application/json", self.asked)
        })?;
        serde_json::from_slice(&self.body).map_err(|error| {
            let body = self.text();
            broken(format!("{}: {error} in {body}", self.asked))
        })
    }

    /// Holds it to be a problem of this code, in the contract's full form.
    pub(super) fn problem(&self, code: Code) -> Result<Problem, Unmet> {
        self.is(code.status())?;
        holds(self.media_type() == Problem::CONTENT_TYPE, || {
            let found = self.media_type();
            format!("{}: a problem is {found:?}, not problem+json", self.asked)
        })?;
        let problem: Problem = serde_json::from_slice(&self.body).map_err(|error| {
            let body = self.text();
            broken(format!("{}: no problem, {error}: {body}", self.asked))
        })?;
        let of = |field: &str| format!("{field} of the problem of {}", self.asked);
        same(&of("code"), problem.code, code)?;
        same(&of("type"), problem.problem_type.as_str(), code.urn())?;
        same(&of("status"), problem.status, self.status)?;
        same(&of("origin"), problem.origin, Origin::Runtime)?;
        holds(!problem.title.is_empty(), || of("an empty title"))?;
        holds(!problem.detail.is_empty(), || of("an empty detail"))?;
        let request_id = problem.request_id.as_ref().map(|id| id.as_str());
        same(
            &of("request_id"),
            request_id,
            self.header(header::REQUEST_ID),
        )?;
        let seconds = self.header(RETRY_AFTER.as_str()).is_some();
        same(
            &of("retry_after_ms, beside Retry-After,"),
            problem.details.retry_after_ms.is_some(),
            seconds,
        )?;
        Ok(problem)
    }

    /// The same for a command that changed nothing.
    pub(super) fn refused_command(&self, code: Code) -> Result<Problem, Unmet> {
        let problem = self.problem(code)?;
        let effect = format!("the effect of {}", self.asked);
        same(&effect, problem.effect, Some(Effect::None))?;
        Ok(problem)
    }

    /// The same for a read, which says nothing of an effect.
    pub(super) fn refused_read(&self, code: Code) -> Result<Problem, Unmet> {
        let problem = self.problem(code)?;
        same(
            &format!("the effect of {}", self.asked),
            problem.effect,
            None,
        )?;
        Ok(problem)
    }

    /// The same for a read with a cursor that is none. Who keeps no seal cannot tell it from one
    /// of another.
    pub(super) fn refuses_a_cursor(&self) -> Verdict {
        if self.status == Code::CursorUnknown.status() {
            self.refused_read(Code::CursorUnknown)?;
        } else {
            self.refused_read(Code::CursorInvalid)?;
        }
        Ok(())
    }
}
