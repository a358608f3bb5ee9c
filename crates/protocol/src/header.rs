//! Header names of the contract, in lower case.

/// Who answers (in answers) or who is addressed (in requests): a runtime id.
pub const RUNTIME_ID: &str = "yoi-runtime-id";
/// Which start of the Runtime answers.
pub const BOOT_ID: &str = "yoi-boot-id";
/// How many milliseconds the caller still waits.
pub const DEADLINE_MS: &str = "yoi-deadline-ms";
/// One request across hops.
pub const REQUEST_ID: &str = "x-request-id";
/// One intended command.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// `true` when the answer is that of an earlier request with the same key.
pub const IDEMPOTENCY_REPLAYED: &str = "idempotency-replayed";
/// The distributed trace (W3C Trace Context).
pub const TRACEPARENT: &str = "traceparent";
