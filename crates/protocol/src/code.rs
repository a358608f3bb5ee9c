//! The closed table of error codes that both servers share, each with its one status.

use serde::{Deserialize, Serialize};

macro_rules! codes {
    // The name is a `tt`: a `literal` is wrapped on its way, and the schema's derive then misses it.
    ($($(#[$doc:meta])* $variant:ident = $name:tt, $status:literal, $title:literal;)*) => {
        /// What went wrong, as a closed set. A client may match on it; texts are for people.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        pub enum Code {
            $($(#[$doc])* #[serde(rename = $name)] $variant,)*
        }

        impl Code {
            /// Every code, in the order of their statuses.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The HTTP status that belongs to the code, the same from every server.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }

            /// A short sentence for people.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }

            /// The `type` of the problem: `urn:yoi:problem:` and the name.
            #[must_use]
            pub const fn urn(self) -> &'static str {
                match self { $(Self::$variant => concat!("urn:yoi:problem:", $name),)* }
            }
        }
    };
}

codes! {
    /// The request does not parse or validate; the fields at fault are named.
    InvalidRequest = "invalid_request", 400, "Invalid request";
    /// Not a cursor that such a server could have made.
    CursorInvalid = "cursor_invalid", 400, "Invalid cursor";
    /// No credential, or a wrong one, for the server that answers.
    Unauthorized = "unauthorized", 401, "Unauthorized";
    /// Host, Origin or fetch metadata is not allowed.
    ForbiddenOrigin = "forbidden_origin", 403, "Forbidden origin";
    /// Policy says no.
    OperationDenied = "operation_denied", 403, "Operation denied";
    /// No such path.
    RouteNotFound = "route_not_found", 404, "No such route";
    /// Not in the registry, or not visible.
    RuntimeNotFound = "runtime_not_found", 404, "Runtime not found";
    /// No such Worker, or not visible, or an id that none could have.
    WorkerNotFound = "worker_not_found", 404, "Worker not found";
    /// The path exists, with other methods.
    MethodNotAllowed = "method_not_allowed", 405, "Method not allowed";
    /// A Worker has that id already.
    WorkerAlreadyExists = "worker_already_exists", 409, "Worker already exists";
    /// A run is active.
    WorkerBusy = "worker_busy", 409, "Worker is busy";
    /// The Worker is stopped for good.
    WorkerStopped = "worker_stopped", 409, "Worker is stopped";
    /// The events after the cursor are no longer retained.
    CursorExpired = "cursor_expired", 410, "Cursor expired";
    /// Genuine, but of another Worker, another life of the log, or a key that is gone.
    CursorUnknown = "cursor_unknown", 410, "Cursor unknown";
    /// The body or the input is larger than the limit.
    PayloadTooLarge = "payload_too_large", 413, "Payload too large";
    /// The body is not JSON by its content type.
    UnsupportedMediaType = "unsupported_media_type", 415, "Unsupported media type";
    /// The request names another Runtime than the one it reached.
    MisdirectedRequest = "misdirected_request", 421, "Misdirected request";
    /// The idempotency key was used with another body.
    IdempotencyConflict = "idempotency_conflict", 422, "Idempotency key reused";
    /// A WebSocket route without an upgrade.
    UpgradeRequired = "upgrade_required", 426, "Upgrade required";
    /// A limit of the answering server is reached.
    LimitReached = "limit_reached", 429, "Limit reached";
    /// A fault of the answering server.
    Internal = "internal", 500, "Internal error";
    /// The store refused the write.
    StoreFailed = "store_failed", 500, "Store failed";
    /// The Runtime lacks the operation.
    OperationUnsupported = "operation_unsupported", 501, "Operation unsupported";
    /// The Runtime could not be reached.
    RuntimeUnreachable = "runtime_unreachable", 502, "Runtime unreachable";
    /// Another Runtime answers at the address.
    RuntimeIdentityMismatch = "runtime_identity_mismatch", 502, "Another runtime answered";
    /// The Runtime refused the Backend's credential.
    RuntimeAuthFailed = "runtime_auth_failed", 502, "Runtime refused the Backend";
    /// What came back is not the contract.
    RuntimeProtocolError = "runtime_protocol_error", 502, "Runtime broke the protocol";
    /// The Runtime answered with a server error of its own.
    RuntimeFailed = "runtime_failed", 502, "Runtime failed";
    /// Draining, starting, or unable to serve.
    Unavailable = "unavailable", 503, "Unavailable";
    /// The Runtime cannot take the request now.
    RuntimeUnavailable = "runtime_unavailable", 503, "Runtime unavailable";
    /// Not finished within the answering server's own time.
    TimedOut = "timed_out", 504, "Timed out";
    /// The Runtime did not answer in time.
    RuntimeTimedOut = "runtime_timed_out", 504, "Runtime timed out";
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
