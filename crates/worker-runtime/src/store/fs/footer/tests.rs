use super::*;

fn dropped(since: &str) -> LogLine {
    let log = r#""worker":"w-1","life":"00000000-0000-0000-0000-000000000001","dropped":true"#;
    LogLine::decode(format!("{{{log}{since}}}").as_bytes()).unwrap()
}

#[test]
fn a_log_that_was_dropped_is_told_of_for_as_long_as_there_can_be_anything_of_it() {
    let line = dropped(r#","since":5"#);
    assert!(line.is_dropped());
    assert_eq!(line.since(), Some(5));
    for (first, is_forgotten) in [(1, true), (4, true), (5, true), (6, false)] {
        assert_eq!(line.is_forgotten_from(first), is_forgotten, "{first}");
    }
    // Where nobody says since when, there may be something in any segment but none.
    let line = dropped("");
    assert_eq!(line.since(), None);
    assert!(line.is_forgotten_from(1));
    assert!(!line.is_forgotten_from(2));
}

#[test]
fn a_number_that_nothing_has_makes_no_line() {
    let line = r#"{"worker":"w-1","life":"00000000-0000-0000-0000-000000000001","extents":[
        {"at":1,"size":2,"first_seq":3,"last_seq":NUMBER,"sequence":4,"bytes":5}]}"#;
    let with = |number: &str| LogLine::decode(line.replace("NUMBER", number).as_bytes());
    assert!(with("9007199254740992").is_some());
    assert!(with("9007199254740993").is_none());
}
