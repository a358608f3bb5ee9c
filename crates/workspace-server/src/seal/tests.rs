use super::{KeyRing, OpenError, Purpose, SealKey};

fn key(byte: u8) -> SealKey {
    SealKey::derive(&[byte; 32])
}

#[test]
fn one_content_under_one_key_is_one_text_that_opens_again() {
    let ring = KeyRing::new(key(1), Vec::new());
    let text = ring.seal(Purpose::Cursor, b"position");
    assert_eq!(text, ring.seal(Purpose::Cursor, b"position"));
    assert_ne!(text, ring.seal(Purpose::Cursor, b"positiom"));
    assert_eq!(
        ring.open(Purpose::Cursor, &text).as_deref(),
        Ok(&b"position"[..])
    );
}

#[test]
fn nothing_is_a_content_too() {
    let ring = KeyRing::random();
    let text = ring.seal(Purpose::Page, b"");
    assert_eq!(ring.open(Purpose::Page, &text).as_deref(), Ok(&b""[..]));
}

#[test]
fn a_text_for_one_purpose_is_forged_for_another() {
    let ring = KeyRing::random();
    let text = ring.seal(Purpose::Page, b"position");
    assert_eq!(ring.open(Purpose::Cursor, &text), Err(OpenError::Invalid));
}

#[test]
fn any_cut_or_flipped_character_is_invalid_with_the_key_and_without() {
    let text = KeyRing::new(key(1), Vec::new()).seal(Purpose::Cursor, b"position");
    for ring in [
        KeyRing::new(key(1), Vec::new()),
        KeyRing::new(key(2), Vec::new()),
    ] {
        for at in 0..text.len() {
            let mut flipped = text.clone().into_bytes();
            flipped[at] = if flipped[at] == b'A' { b'B' } else { b'A' };
            let flipped = String::from_utf8(flipped).unwrap();
            assert_eq!(
                ring.open(Purpose::Cursor, &flipped),
                Err(OpenError::Invalid),
                "flipped at {at}"
            );
            assert_eq!(
                ring.open(Purpose::Cursor, &text[..at]),
                Err(OpenError::Invalid),
                "cut at {at}"
            );
        }
    }
}

#[test]
fn a_forged_body_with_a_right_checksum_is_invalid() {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let ring = KeyRing::new(key(1), Vec::new());
    let mut bytes = URL_SAFE_NO_PAD
        .decode(ring.seal(Purpose::Cursor, b"position"))
        .unwrap();
    let body = bytes.len() - super::CHECKSUM;
    bytes[body - 1] ^= 1;
    let check = super::checksum(Purpose::Cursor, &bytes[..body]);
    bytes[body..].copy_from_slice(&check);
    let forged = URL_SAFE_NO_PAD.encode(bytes);
    assert_eq!(ring.open(Purpose::Cursor, &forged), Err(OpenError::Invalid));
}

#[test]
fn a_key_that_is_gone_is_told_and_a_rotated_one_still_opens() {
    let old = KeyRing::new(key(1), Vec::new()).seal(Purpose::Cursor, b"position");
    let gone = KeyRing::new(key(2), Vec::new());
    assert_eq!(gone.open(Purpose::Cursor, &old), Err(OpenError::UnknownKey));
    let rotated = KeyRing::new(key(2), vec![key(1)]);
    assert!(rotated.open(Purpose::Cursor, &old).is_ok());
    assert_ne!(rotated.seal(Purpose::Cursor, b"position"), old);
}

#[test]
fn a_key_is_32_bytes_in_base64_and_nothing_else() {
    assert!(SealKey::from_base64("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=").is_ok());
    assert!(SealKey::from_base64(" MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE\n").is_ok());
    for bad in ["", "short", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEy"] {
        let error = SealKey::from_base64(bad).unwrap_err();
        assert_eq!(error.to_string(), "a cursor key must be 32 bytes in base64");
    }
}

#[test]
fn debug_shows_no_key() {
    let shown = format!(
        "{:?}",
        KeyRing::new(
            SealKey::derive(b"canary-canary-canary-canary-cana"),
            Vec::new()
        )
    );
    assert!(!shown.contains("canary"), "{shown}");
    assert!(shown.len() < 80, "{shown}");
}

/// Anybody can make the checksum: what is too short for a seal is none, whatever key it names.
#[test]
fn a_text_that_is_too_short_for_a_seal_is_invalid_with_a_right_checksum_too() {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let ring = KeyRing::new(key(1), Vec::new());
    for named in [key(1).id, key(2).id] {
        let head = [&[super::VERSION][..], &named[..]].concat();
        let longest = [&head[..], &[0; super::TAG - 1][..]].concat();
        for length in 0..=longest.len() {
            let mut bytes = longest[..length].to_vec();
            bytes.extend_from_slice(&super::checksum(Purpose::Cursor, &bytes));
            let text = URL_SAFE_NO_PAD.encode(bytes);
            let opened = ring.open(Purpose::Cursor, &text);
            assert_eq!(opened, Err(OpenError::Invalid), "{length}");
        }
    }
}

#[test]
fn a_key_shows_its_id_and_nothing_else() {
    let shown = format!("{:?}", key(1));
    assert_eq!(shown, format!("SealKey({:02x?})", key(1).id));
    assert!(shown.len() < 32, "{shown}");
}
