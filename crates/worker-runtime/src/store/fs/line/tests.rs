use super::*;

fn written(lsn: u64, index: u32, json: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let line = Line {
        kind: Kind::Record,
        lsn,
        index,
        json: json.as_bytes(),
    };
    line.write(7, &mut out);
    assert_eq!(out.pop(), Some(b'\n'));
    out
}

#[test]
fn a_line_is_read_as_it_was_written() {
    for kind in Kind::ALL {
        for lsn in [0, 1, 9, 10, 1 << 53] {
            let line = Line {
                kind,
                lsn,
                index: 12,
                json: br#"{"a b":" "}"#,
            };
            let mut out = b"before".to_vec();
            line.write(7, &mut out);
            let text = &out[6..out.len() - 1];
            assert_eq!(Line::parse(7, text), Some(line));
        }
    }
}

#[test]
fn a_person_can_read_it() {
    let text = String::from_utf8(written(17, 2, "{}")).unwrap();
    assert_eq!(&text[8..], " R 17 2 {}");
    assert!(text[..8].bytes().all(|byte| byte.is_ascii_hexdigit()));
}

#[test]
fn no_changed_bit_goes_unseen() {
    let text = written(17, 2, r#"{"said":"something"}"#);
    for bit in 0..text.len() * 8 {
        let mut changed = text.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(Line::parse(7, &changed), None, "bit {bit}");
    }
}

#[test]
fn a_part_of_a_line_is_none_and_neither_is_one_of_another_file() {
    let text = written(17, 2, "{}");
    for end in 0..text.len() {
        assert_eq!(Line::parse(7, &text[..end]), None);
    }
    assert_eq!(Line::parse(8, &text), None);
    assert_eq!(Line::parse(7, &[text.as_slice(), b"\0"].concat()), None);
}

proptest::proptest! {
    #[test]
    fn what_nobody_signed_is_no_line(salt: u32, bytes: Vec<u8>, text in "[0-9a-f]{8} [A-Z] [0-9]{1,3} [0-9] x*") {
        for bytes in [bytes, text.into_bytes()] {
            proptest::prop_assert_eq!(Line::parse(salt, &bytes), None);
        }
    }

    #[test]
    fn any_line_is_read_as_it_was_written(
        salt: u32,
        kind in 0..Kind::ALL.len(),
        lsn in 0..=MOST,
        index: u32,
        json in "[^\n\0]*",
    ) {
        let line = Line { kind: Kind::ALL[kind], lsn, index, json: json.as_bytes() };
        let mut out = Vec::new();
        line.write(salt, &mut out);
        proptest::prop_assert_eq!(Line::parse(salt, &out[..out.len() - 1]), Some(line));
    }
}
