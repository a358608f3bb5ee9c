//! Any text in the place of a cursor, a page token, a query or an id, at both servers and by every
//! route: an answer of the contract, and never a fault of the server's own.

mod place;

use proptest::prelude::*;
use proptest::test_runner::{TestError, TestRunner};
use yoi_protocol::Code;
use yoi_testkit::strategies::hostile;

use crate::{cases, threads};
use place::{Place, Told};

/// As a browser would write it into a path.
fn in_path(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn in_query(name: &str, text: &str) -> String {
    serde_urlencoded::to_string([(name, text)]).unwrap()
}

/// Whether it can stand in a header, which keeps nothing of the spaces round it.
fn fits_a_header(text: &str) -> bool {
    !text.trim().is_empty() && !text.contains(char::is_control)
}

/// Tries texts at both servers, which stand throughout.
fn each<S: Strategy<Value = String>>(
    count: u32,
    texts: impl AsyncFnOnce(&Place) -> S,
    check: impl AsyncFn(&Place, &str) -> Result<(), TestCaseError>,
) {
    let threads = threads();
    let place = threads.block_on(Place::start());
    let texts = threads.block_on(texts(&place));
    let mut runner = TestRunner::new(cases(count));
    match runner.run(&texts, |text| threads.block_on(check(&place, &text))) {
        Ok(()) => {}
        Err(TestError::Fail(reason, text)) => panic!("{text:?}: {reason}"),
        Err(TestError::Abort(reason)) => panic!("{reason}"),
    }
}

#[test]
fn no_text_is_a_cursor_but_those_that_were_handed_out() {
    let texts = async |place: &Place| hostile::token(place.cursors().await);
    each(160, texts, async |place, text| {
        let query = in_query("cursor", text);
        for base in place.workers() {
            is_refused_cursor(&base, &place.events(&base, &query, None).await)?;
            is_refused_cursor(&base, &place.events_ws(&base, &query).await)?;
            if fits_a_header(text) {
                is_refused_cursor(&base, &place.events(&base, "", Some(text)).await)?;
            }
        }
        Ok(())
    });
}

/// A Runtime knows its own by a checksum. A Backend may have had another key once.
fn is_refused_cursor(base: &str, told: &Told) -> Result<(), TestCaseError> {
    let codes = if base.contains("/api/") {
        &[Code::CursorInvalid, Code::CursorUnknown][..]
    } else {
        &[Code::CursorInvalid][..]
    };
    let is_one = told.code.is_some_and(|code| codes.contains(&code));
    prop_assert!(is_one, "{} {:?}", base, told);
    Ok(())
}

#[test]
fn no_text_is_a_page_but_those_that_were_handed_out() {
    let texts = async |place: &Place| hostile::token(place.pages().await);
    each(160, texts, async |place, text| {
        for list in place.lists() {
            let told = place
                .get(&format!("{list}?{}", in_query("page", text)))
                .await;
            prop_assert_eq!(told.code, Some(Code::InvalidRequest), "{} {:?}", list, told);
            prop_assert!(told.text.contains("\"/page\""), "{} {:?}", list, told);
        }
        Ok(())
    });
}

#[test]
fn no_query_breaks_a_server() {
    let texts = async |_: &Place| prop_oneof![any::<String>(), "-?[0-9]{1,24}", "[ -~]{0,12}"];
    each(64, texts, async |place, text| {
        for name in ["limit", "status"] {
            for list in place.lists() {
                let url = format!("{list}?{}", in_query(name, text));
                is_read_or_refused(&place.get(&url).await)?;
            }
        }
        for name in ["limit", "after"] {
            for base in place.workers() {
                let url = format!("{base}/transcript?{}", in_query(name, text));
                is_read_or_refused(&place.get(&url).await)?;
            }
        }
        Ok(())
    });
}

fn is_read_or_refused(told: &Told) -> Result<(), TestCaseError> {
    let is_read = told.status == 200 && told.code.is_none();
    let is_refused = told.code == Some(Code::InvalidRequest);
    prop_assert!(is_read || is_refused, "{:?}", told);
    Ok(())
}

#[test]
fn no_worker_has_an_id_that_none_could_have() {
    // A client takes dots out of a path, however they are written, before it sends it.
    let another_route = |text: &String| matches!(text.as_str(), "" | "." | "..");
    let ids = hostile::not_an_id().prop_filter("another route", move |text| !another_route(text));
    each(
        64,
        async |_: &Place| ids,
        async |place, id| {
            for base in place.workers() {
                let (list, _) = base.rsplit_once('/').unwrap();
                for rest in ["", "/transcript"] {
                    let told = place.get(&format!("{list}/{}{rest}", in_path(id))).await;
                    prop_assert_eq!(told.code, Some(Code::WorkerNotFound), "{:?}", told);
                }
            }
            Ok(())
        },
    );
}
