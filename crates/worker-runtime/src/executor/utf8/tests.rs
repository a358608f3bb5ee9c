use proptest::prelude::*;

use super::Utf8Pieces;

fn decode(pieces: &[Vec<u8>]) -> String {
    let mut decoder = Utf8Pieces::default();
    let mut text: String = pieces.iter().map(|piece| decoder.push(piece)).collect();
    text.push_str(decoder.finish());
    text
}

#[test]
fn a_split_character_comes_whole() {
    let euro = "€".as_bytes();
    let mut decoder = Utf8Pieces::default();
    assert_eq!(decoder.push(&euro[..1]), "");
    assert_eq!(decoder.push(&euro[1..2]), "");
    assert_eq!(decoder.push(&euro[2..]), "€");
    assert_eq!(decoder.finish(), "");
}

#[test]
fn an_unfinished_character_at_the_end_is_replaced_once() {
    assert_eq!(decode(&["a€".as_bytes()[..3].to_vec()]), "a\u{FFFD}");
}

fn byte() -> impl Strategy<Value = u8> {
    // Mostly bytes that begin or continue long characters, so that splits hit them.
    prop_oneof![any::<u8>(), 0x80..=0xBFu8, 0xC2..=0xF4u8, Just(b'a')]
}

proptest! {
    #[test]
    fn any_split_decodes_as_the_whole(pieces in prop::collection::vec(prop::collection::vec(byte(), 0..6), 0..12)) {
        let whole: Vec<u8> = pieces.concat();
        prop_assert_eq!(decode(&pieces), String::from_utf8_lossy(&whole));
    }
}
