use super::{Reader, Sent, parse};

fn sent(id: Option<&str>, data: &str) -> Sent {
    Sent {
        id: id.map(str::to_owned),
        data: data.to_owned(),
    }
}

#[test]
fn events_are_taken_apart_and_comments_left_out() {
    let text = ": hello\n\nid: a\ndata: {\"x\":1}\n\n:\n\ndata:{}\nretry: 5\n\n";
    let expected = vec![sent(Some("a"), "{\"x\":1}"), sent(None, "{}")];
    assert_eq!(parse(text).unwrap(), expected);
    assert_eq!(parse("").unwrap(), []);
}

#[test]
fn two_lines_of_a_kind_are_refused() {
    parse("data: a\ndata: b\n\n").unwrap_err();
    parse("id: a\n\n").unwrap_err();
}

#[test]
fn lines_may_end_with_cr_lf_or_both() {
    let expected = vec![sent(Some("a"), "1"), sent(None, "2")];
    for end in ["\n", "\r\n", "\r"] {
        let text = ["id: a", "data: 1", "", ": hello", "", "data: 2", "", ""].join(end);
        assert_eq!(parse(&text).unwrap(), expected, "{end:?}");
    }
}

#[test]
fn an_event_comes_when_it_is_whole() {
    let mut reader = Reader::default();
    for piece in ["da", "ta: 1\r", "\n\r"] {
        reader.push(piece.as_bytes());
        assert_eq!(reader.next().unwrap(), None, "{piece:?}");
    }
    reader.push(b"\n");
    assert_eq!(reader.next().unwrap(), Some(sent(None, "1")));
}
