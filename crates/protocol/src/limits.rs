//! The limits of a Runtime, by the names they have in configuration, answers and problems.

use serde::{Deserialize, Serialize};

macro_rules! limits {
    ($($(#[$doc:meta])* $name:ident = $default:literal;)*) => {
        /// What a Runtime bounds, and to what. Shown by the Runtime, set in its configuration
        /// under the same names; a limit that is met is named in the problem.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(default, from = "Given")]
        pub struct Limits {
            $($(#[$doc])* pub $name: u64,)*
        }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($name: $default,)* }
            }
        }

        /// Limits as they are read: one that is absent or `null` is the default.
        #[derive(Deserialize)]
        struct Given {
            $($name: Option<u64>,)*
        }

        impl From<Given> for Limits {
            fn from(given: Given) -> Self {
                Self { $($name: given.$name.unwrap_or($default),)* }
            }
        }

        impl Limits {
            /// Every limit as its name and value.
            #[must_use]
            pub fn entries(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($name), self.$name),)*]
            }
        }
    };
}

limits! {
    /// The largest request body, in bytes.
    max_body_bytes = 1_048_576;
    /// The largest content of one input, in bytes of UTF-8.
    max_input_bytes = 262_144;
    /// The most that one run may say, in bytes of UTF-8; each event costs 64 beside its texts.
    max_run_output_bytes = 1_048_576;
    /// The largest page of a list or a transcript, in bytes of JSON. A page holds at least one
    /// item however large.
    max_page_bytes = 4_194_304;
    /// The most Workers that are not stopped.
    max_workers = 100_000;
    /// The most runs at a time.
    max_runs = 1_024;
    /// The most observers at a time.
    max_streams = 16_384;
    /// The most requests in flight.
    max_requests = 4_096;
    /// The most idempotency keys held in memory.
    max_idempotency_keys = 1_000_000;
    /// The most events kept of one Worker; older ones expire.
    max_worker_events = 100_000;
    /// The most bytes of events kept of one Worker, as JSON; older ones expire, never the last.
    max_worker_bytes = 67_108_864;
    /// The most bytes of live frames kept for one Worker's slow observers.
    max_backlog_bytes = 4_194_304;
    /// How long a command may take, in milliseconds.
    operation_timeout_ms = 30_000;
    /// How long a stopped Worker is remembered, in milliseconds; at least a day.
    retain_stopped_ms = 604_800_000;
}
