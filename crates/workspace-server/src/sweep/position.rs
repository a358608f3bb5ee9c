//! Where a page of all Workers starts.

use serde::{Deserialize, Serialize};
use yoi_protocol::{Failure, PageToken, RuntimeId, WorkerId};

use super::bad_page;
use crate::seal::{KeyRing, OVERHEAD, Purpose};

/// The longest content whose seal is still a page token of 512 characters.
const MAX_CONTENT: usize = 512 / 4 * 3 - OVERHEAD;

/// Where a page starts: at a Runtime, and there after a Worker.
///
/// The Runtime's own page token is asked for again, and what the page before has shown of it is
/// dropped: so a page of a Runtime that was only used in part is continued without skip or
/// repeat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Position {
    #[serde(rename = "r")]
    pub(crate) runtime_id: RuntimeId,
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub(crate) page: Option<PageToken>,
    #[serde(rename = "w", default, skip_serializing_if = "Option::is_none")]
    pub(crate) last: Option<WorkerId>,
}

impl Position {
    /// Before the first Worker of a Runtime.
    pub(crate) fn start_of(runtime_id: RuntimeId) -> Self {
        Self::after(runtime_id, None, None)
    }

    /// After a Worker, on the Runtime's page that `page` asks for.
    pub(crate) fn after(
        runtime_id: RuntimeId,
        page: Option<PageToken>,
        last: Option<WorkerId>,
    ) -> Self {
        Self {
            runtime_id,
            page,
            last,
        }
    }

    /// The page token that a client carries.
    ///
    /// A Runtime's token that is too long to be carried inside is left out: the Runtime's list
    /// is then walked again from its start up to the last Worker shown, slow but right.
    pub(crate) fn seal(mut self, keys: &KeyRing) -> PageToken {
        let mut content = self.content();
        if content.len() > MAX_CONTENT {
            self.page = None;
            content = self.content();
        }
        let text = keys.seal(Purpose::Page, &content);
        PageToken::parse(&text).expect("two ids and a bounded token fit, all of them safe")
    }

    fn content(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("three texts always serialise")
    }

    /// Opens what [`seal`](Self::seal) made.
    ///
    /// # Errors
    /// `invalid_request` at `/page`.
    pub(crate) fn open(keys: &KeyRing, token: &PageToken) -> Result<Self, Failure> {
        let content = keys
            .open(Purpose::Page, token.as_str())
            .map_err(|_| bad_page())?;
        serde_json::from_slice(&content).map_err(|_| bad_page())
    }
}
