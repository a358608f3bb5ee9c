use super::{Sent, parse};

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
