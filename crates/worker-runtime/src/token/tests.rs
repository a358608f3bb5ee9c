use proptest::prelude::*;
use uuid::Uuid;
use yoi_protocol::{Cursor, PageToken, WorkerId};

use super::{Position, page_after, parse_page};

proptest! {
    #[test]
    fn a_cursor_survives_and_is_short(life in any::<u128>(), seq in 1u64..) {
        let position = Position { life: Uuid::from_u128(life), seq };
        let cursor = position.to_cursor();
        prop_assert!(cursor.as_str().len() <= Cursor::RUNTIME_MAX);
        prop_assert_eq!(Position::parse(cursor.as_str()), Some(position));
    }

    #[test]
    fn a_changed_cursor_is_none_at_all(life in any::<u128>(), seq in 1u64.., at in 0usize..44, to in "[A-Za-z0-9_-]") {
        let cursor = Position { life: Uuid::from_u128(life), seq }.to_cursor();
        let mut text = cursor.as_str().to_owned();
        text.replace_range(at..=at, &to);
        prop_assume!(text != cursor.as_str());
        prop_assert_eq!(Position::parse(&text), None);
    }

    #[test]
    fn a_truncated_cursor_is_none_at_all(seq in 1u64.., keep in 0usize..44) {
        let cursor = Position { life: Uuid::nil(), seq }.to_cursor();
        prop_assert_eq!(Position::parse(&cursor.as_str()[..keep]), None);
    }

    #[test]
    fn a_page_token_survives(id in "[a-z0-9][a-z0-9._-]{0,63}") {
        let id = WorkerId::parse(&id).unwrap();
        prop_assert_eq!(parse_page(&page_after(&id)), Some(id));
    }
}

#[test]
fn position_zero_was_never_handed_out() {
    let forged = Position {
        life: Uuid::nil(),
        seq: 0,
    };
    assert_eq!(Position::parse(forged.to_cursor().as_str()), None);
}

#[test]
fn a_cursor_is_no_page_token() {
    let cursor = Position {
        life: Uuid::nil(),
        seq: 7,
    }
    .to_cursor();
    assert_eq!(
        parse_page(&PageToken::parse(cursor.as_str()).unwrap()),
        None
    );
}
