use yoi_protocol::{Code, Cursor, RuntimeId, WorkerId};

use super::CursorSeal;
use crate::seal::{KeyRing, SealKey};

fn ring() -> KeyRing {
    KeyRing::new(
        SealKey::from_base64("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=").unwrap(),
        Vec::new(),
    )
}

fn seal(runtime: &str, worker: &str) -> CursorSeal {
    CursorSeal::new(
        &ring(),
        &RuntimeId::parse(runtime).unwrap(),
        &WorkerId::parse(worker).unwrap(),
    )
}

#[test]
fn the_longest_upstream_cursor_and_ids_fit() {
    let long = "r".repeat(64);
    let seal = seal(&long, &long);
    let upstream = Cursor::parse(&"c".repeat(Cursor::RUNTIME_MAX)).unwrap();
    let sealed = seal.seal(&upstream).unwrap();
    assert!(sealed.as_str().len() <= Cursor::BACKEND_MAX);
    assert_eq!(seal.open(sealed.as_str()), Ok(upstream));
    let longer = Cursor::parse(&"c".repeat(Cursor::RUNTIME_MAX + 1)).unwrap();
    assert_eq!(
        seal.seal(&longer).unwrap_err().code,
        Code::RuntimeProtocolError
    );
}

#[test]
fn a_cursor_opens_only_for_its_runtime_and_worker() {
    let upstream = Cursor::parse("abc").unwrap();
    let mine = seal("r", "w").seal(&upstream).unwrap();
    assert_eq!(seal("r", "w").open(mine.as_str()), Ok(upstream));
    for (runtime, worker) in [("r", "v"), ("s", "w")] {
        let error = seal(runtime, worker).open(mine.as_str()).unwrap_err();
        assert_eq!(error.code, Code::CursorUnknown);
    }
}

#[test]
fn a_runtimes_own_cursor_is_not_one_of_ours() {
    let error = seal("r", "w").open("AWtleXNvbWV0aGluZ2Vsc2U").unwrap_err();
    assert_eq!(error.code, Code::CursorInvalid);
}
