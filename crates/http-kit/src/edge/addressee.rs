//! Whether a request is meant for this Runtime.

use http::HeaderMap;
use yoi_protocol::{Code, RuntimeId, header};

use crate::Rejection;

/// Refuses a request that names another Runtime, or names one more than once.
pub(super) fn check(headers: &HeaderMap, me: &RuntimeId) -> Result<(), Rejection> {
    let meant_for_me = headers
        .get_all(header::RUNTIME_ID)
        .iter()
        .all(|named| named.as_bytes() == me.as_str().as_bytes());
    if meant_for_me {
        Ok(())
    } else {
        Err(Rejection::code(Code::MisdirectedRequest))
    }
}
