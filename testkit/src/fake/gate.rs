//! What every Runtime refuses before it looks at the route.

use yoi_protocol::{Code, RuntimeId, header};

use super::Received;
use super::answer::{self, Answer};

/// Who is let in: whoever has the token, and means this Runtime.
#[derive(Clone)]
pub(super) struct Gate {
    pub(super) id: RuntimeId,
    pub(super) token: Option<String>,
}

impl Gate {
    /// Why a request is refused, if it is.
    pub(super) fn refusal(&self, request: &Received) -> Option<Code> {
        let wanted = self.token.as_ref().map(|token| format!("Bearer {token}"));
        if wanted.is_some() && request.header("authorization") != wanted.as_deref() {
            return Some(Code::Unauthorized);
        }
        match request.header(header::RUNTIME_ID) {
            Some(addressee) if addressee != self.id.as_str() => Some(Code::MisdirectedRequest),
            _ => None,
        }
    }

    /// The refusal of a request, if it is refused.
    pub(super) fn answer(&self, request: &Received) -> Option<Answer> {
        let failure = crate::fixtures::problems::failure(self.refusal(request)?, None);
        let problem = answer::told(failure, &self.id, None, request.operation(), request);
        Some(Answer::problem(&problem).named_by(&self.id).to(request))
    }
}
