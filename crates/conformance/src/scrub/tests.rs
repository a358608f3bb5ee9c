use super::Scrub;

#[test]
fn neither_address_nor_token_is_left() {
    let scrub = Scrub::new("http://gpu-1.internal:7401/", Some("open-\"sesame"));
    let text = "asked HTTP://GPU-1.internal:7401/v1 (gpu-1.internal:7401, gpu-1.internal) with \
                open-\"sesame, \"open-\\\"sesame\" and \\\"open-\\\\\\\"sesame\\\"";
    assert_eq!(
        scrub.text(text),
        "asked <url>/v1 (<address>, <host>) with <token>, \"<token>\" and \\\"<token>\\\""
    );
}

#[test]
fn what_stands_for_a_secret_is_not_searched_again() {
    assert_eq!(
        Scrub::new("http://token", Some("token")).text("a token"),
        "a <token>"
    );
}

#[test]
fn a_secret_is_not_cut_in_half() {
    let scrub = Scrub::new("http://gpu-1", Some("open-sesame"));
    let line = scrub.line(&format!("{}open-sesame\n!", "x".repeat(396)));
    assert_eq!(line, format!("{}<tok…", "x".repeat(396)));
}
