use yoi_protocol::{Code, IdempotencyKey, Origin};

use super::forwarded;

fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey::parse(text).unwrap()
}

#[test]
fn a_callers_key_is_hashed_with_its_principal() {
    let alice = forwarded("alice", Some(&key("k")), Some(true))
        .unwrap()
        .unwrap();
    assert_eq!(alice.key.as_str().len(), 64);
    assert!(alice.from_caller && alice.honoured);
    let again = forwarded("alice", Some(&key("k")), None).unwrap().unwrap();
    assert_eq!(again.key, alice.key);
    assert!(
        !again.honoured,
        "a runtime never seen is not trusted with a resend"
    );
    for (principal, text) in [("bob", "k"), ("alic", "ek"), ("alicek", "k")] {
        let other = forwarded(principal, Some(&key(text)), Some(true))
            .unwrap()
            .unwrap();
        assert_ne!(other.key, alice.key, "{principal} {text}");
    }
}

#[test]
fn a_key_is_minted_for_each_command_that_has_none() {
    let mint = || forwarded("alice", None, Some(true)).unwrap().unwrap();
    let (one, two) = (mint(), mint());
    assert_ne!(one.key, two.key);
    assert!(!one.from_caller);
}

#[test]
fn a_runtime_without_keys_gets_none_and_a_callers_is_refused() {
    assert_eq!(forwarded("alice", None, Some(false)), Ok(None));
    let refused = forwarded("alice", Some(&key("k")), Some(false)).unwrap_err();
    assert_eq!(refused.code, Code::OperationUnsupported);
    assert_eq!(refused.details.operation.as_deref(), Some("idempotency"));
    assert_eq!(refused.origin, Some(Origin::Runtime));
}
