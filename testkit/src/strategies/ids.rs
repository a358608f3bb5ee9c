//! Identifiers, opaque tokens and times.

use proptest::prelude::*;
use yoi_protocol::{
    BootId, Cursor, IdempotencyKey, PageToken, RequestId, RunId, RuntimeId, Timestamp, WorkerId,
};

/// The form of every id of the contract.
const NAME: &str = "[a-z0-9][a-z0-9._-]{0,63}";

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident: $id:ident = $form:expr;)*) => {
        $($(#[$doc])*
        pub fn $name() -> impl Strategy<Value = $id> + Clone {
            $form.prop_map(|text| $id::parse(&text).expect("the form is that of the contract"))
        })*
    };
}

texts! {
    /// A name of a Runtime: any that the contract allows, up to its 64 characters.
    ///
    /// ```
    /// use proptest::prelude::*;
    /// use yoi_protocol::Api;
    /// use yoi_testkit::strategies::{runtime_id, worker_id};
    ///
    /// // No id needs escaping in a URL.
    /// proptest!(|(runtime in runtime_id(), worker in worker_id())| {
    ///     let path = Api::Backend(runtime).input(&worker);
    ///     prop_assert!(path.parse::<http::Uri>().is_ok());
    /// });
    /// ```
    runtime_id: RuntimeId = NAME;
    /// A name of a Worker: any that the contract allows, up to its 64 characters.
    worker_id: WorkerId = NAME;
    /// A name of a run: any that the contract allows, up to its 64 characters.
    run_id: RunId = NAME;
    /// A start of a Runtime: 1 to 64 visible ASCII characters.
    boot_id: BootId = "[!-~]{1,64}";
    /// A text that has the form of a Runtime's cursor: up to [`Cursor::RUNTIME_MAX`] URL-safe
    /// characters. No Runtime made it.
    cursor: Cursor = "[A-Za-z0-9._~-]{1,128}";
    /// A text that has the form of a Backend's cursor: up to [`Cursor::BACKEND_MAX`] URL-safe
    /// characters. No Backend made it.
    backend_cursor: Cursor = "[A-Za-z0-9._~-]{1,256}";
    /// A text that has the form of a page token: up to 512 URL-safe characters. No server made it.
    page_token: PageToken = "[A-Za-z0-9._~-]{1,512}";
    /// A key of a command: 1 to 255 visible ASCII characters.
    idempotency_key: IdempotencyKey = "[!-~]{1,255}";
    /// A name of a request: 1 to 128 URL-safe characters.
    request_id: RequestId = "[A-Za-z0-9._~-]{1,128}";
}

/// A time from the year 1 to the year 9999, in whole milliseconds.
pub fn timestamp() -> impl Strategy<Value = Timestamp> + Clone {
    (-62_135_596_800_000_i64..=253_402_207_200_999).prop_map(Timestamp::from_unix_ms)
}
