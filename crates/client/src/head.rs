//! What is read of the head of an answer.

use http::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use yoi_protocol::{BootId, header};

use crate::classify::Head;

/// What of a head is looked at.
pub(crate) fn head_of(status: u16, headers: &HeaderMap) -> Head<'_> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or(""));
    Head {
        status,
        runtime_id: text(header::RUNTIME_ID),
        content_type: text(CONTENT_TYPE.as_str())
            .map(|media| media.split(';').next().unwrap_or("").trim()),
        retry_after_ms: text(RETRY_AFTER.as_str())
            .and_then(|seconds| seconds.trim().parse::<u64>().ok())
            .map(|seconds| seconds.min(24 * 60 * 60) * 1000),
    }
}

/// Which start of a Runtime answers.
pub(crate) fn boot_id(headers: &HeaderMap) -> Option<BootId> {
    BootId::parse(headers.get(header::BOOT_ID)?.to_str().ok()?).ok()
}
