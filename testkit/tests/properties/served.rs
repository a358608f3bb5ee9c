//! Any text in the place of a cursor, a page token, a query or an id, at both servers and by every
//! route: an answer of the contract, and never a fault of the server's own.

mod place;

use std::borrow::Cow;

use proptest::prelude::*;
use yoi_protocol::Code;
use yoi_testkit::strategies::hostile;

use crate::{block_on, cases};
use place::{Place, Told};

/// As a browser would write it into a path.
fn in_path(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn in_query(name: &str, text: &str) -> String {
    serde_urlencoded::to_string([(name, text)]).unwrap()
}

/// What can stand in a header: what comes first and last in it is not its own to keep.
fn in_header(text: &str) -> Option<Cow<'_, str>> {
    let fits = !text.trim().is_empty() && !text.contains(char::is_control);
    fits.then_some(Cow::Borrowed(text))
}

#[test]
fn no_text_is_a_cursor_but_those_that_were_handed_out() {
    block_on(async {
        let place = Place::start().await;
        let genuine = place.cursors().await;
        proptest!(cases(40), |(text in hostile::token(genuine))| tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(async {
                for base in place.workers() {
                    let query = in_query("cursor", &text);
                    let told = place.events(&base, &query, None).await;
                    is_refused_cursor(&base, &told)?;
                    let told = place.events_ws(&base, &query).await;
                    is_refused_cursor(&base, &told)?;
                    if let Some(text) = in_header(&text) {
                        let told = place.events(&base, "", Some(&text)).await;
                        is_refused_cursor(&base, &told)?;
                    }
                }
                Ok::<_, TestCaseError>(())
            })
        })?);
    });
}

/// A Runtime knows its own by a checksum. A Backend may have had another key once.
fn is_refused_cursor(base: &str, told: &Told) -> Result<(), TestCaseError> {
    let codes = if base.contains("/api/") {
        &[Code::CursorInvalid, Code::CursorUnknown][..]
    } else {
        &[Code::CursorInvalid][..]
    };
    prop_assert!(
        told.code.is_some_and(|code| codes.contains(&code)),
        "{} {:?}",
        base,
        told
    );
    Ok(())
}

#[test]
fn no_text_is_a_page_but_those_that_were_handed_out() {
    block_on(async {
        let place = Place::start().await;
        let genuine = place.pages().await;
        proptest!(cases(64), |(text in hostile::token(genuine))| tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(async {
                for list in place.lists() {
                    let told = place.get(&format!("{list}?{}", in_query("page", &text))).await;
                    prop_assert_eq!(told.code, Some(Code::InvalidRequest), "{} {:?}", list, told);
                    prop_assert!(told.text.contains("\"/page\""), "{} {:?}", list, told);
                }
                Ok::<_, TestCaseError>(())
            })
        })?);
    });
}

#[test]
fn no_query_breaks_a_server() {
    let value = prop_oneof![any::<String>(), "-?[0-9]{1,24}", "[ -~]{0,12}"];
    block_on(async {
        let place = Place::start().await;
        proptest!(cases(64), |(text in value)| tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(async {
                for name in ["limit", "status"] {
                    for list in place.lists() {
                        let told = place.get(&format!("{list}?{}", in_query(name, &text))).await;
                        is_read_or_refused(&told)?;
                    }
                }
                for name in ["limit", "after"] {
                    for base in place.workers() {
                        let query = in_query(name, &text);
                        let told = place.get(&format!("{base}/transcript?{query}")).await;
                        is_read_or_refused(&told)?;
                    }
                }
                Ok::<_, TestCaseError>(())
            })
        })?);
    });
}

fn is_read_or_refused(told: &Told) -> Result<(), TestCaseError> {
    let is_read = told.status == 200 && told.code.is_none();
    prop_assert!(
        is_read || told.code == Some(Code::InvalidRequest),
        "{:?}",
        told
    );
    Ok(())
}

#[test]
fn no_worker_has_an_id_that_none_could_have() {
    let id = hostile::not_an_id().prop_filter("a path", |text| !text.is_empty());
    block_on(async {
        let place = Place::start().await;
        proptest!(cases(64), |(id in id)| tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(async {
                for base in place.workers() {
                    let (list, _) = base.rsplit_once('/').unwrap();
                    for rest in ["", "/transcript"] {
                        let told = place.get(&format!("{list}/{}{rest}", in_path(&id))).await;
                        prop_assert_eq!(told.code, Some(Code::WorkerNotFound), "{:?}", told);
                    }
                }
                Ok::<_, TestCaseError>(())
            })
        })?);
    });
}
