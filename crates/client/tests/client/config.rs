//! What is taken for an address.

use yoi_client::{Client, ClientConfigError};

#[test]
fn addresses() {
    let refusal = |url: &str| Client::builder(url).err();
    for url in [
        "http://127.0.0.1:7401",
        "https://gpu-1.example",
        "http://[::1]:7401/",
        "https://example.org/behind/a/prefix/",
    ] {
        assert_eq!(refusal(url), None, "{url}");
    }
    for (url, expected) in [
        ("", ClientConfigError::Address),
        ("not a url", ClientConfigError::Address),
        ("127.0.0.1:7401", ClientConfigError::Scheme),
        ("ftp://example.org", ClientConfigError::Scheme),
        ("ws://example.org", ClientConfigError::Scheme),
        ("http://user:pass@example.org", ClientConfigError::UserInfo),
        ("http://example.org/?token=1", ClientConfigError::Query),
        ("http://example.org/#there", ClientConfigError::Query),
    ] {
        assert_eq!(refusal(url), Some(expected), "{url}");
    }
}

#[test]
fn a_secure_client_can_be_built_or_says_why_not() {
    match Client::builder("https://example.org").unwrap().build() {
        Ok(_) | Err(ClientConfigError::Tls) => {}
        Err(other) => panic!("{other}"),
    }
}
