//! Who is let in by Host, Origin and fetch metadata: the tables.

use yoi_http_kit::{Browsers, OriginGuard};
use yoi_protocol::Code;

use crate::support::{edged, get};

fn guard(browsers: &Browsers) -> OriginGuard {
    let allowed = ["yoi.example".to_owned(), "ported.example:8443".to_owned()];
    OriginGuard::new("192.0.2.7:7400".parse().unwrap(), &allowed, browsers).unwrap()
}

fn allowing() -> Browsers {
    Browsers::Allowed {
        origins: vec![
            "http://localhost:5173".to_owned(),
            "https://app.example".to_owned(),
        ],
    }
}

async fn is_let_in(browsers: &Browsers, headers: &[(&str, &str)]) -> bool {
    let router = edged(|settings| settings.guard = guard(browsers));
    let answer = get(&router, "/notes/w-1", headers).await;
    if answer.status.is_success() {
        return true;
    }
    assert_eq!(answer.problem().code, Code::ForbiddenOrigin, "{headers:?}");
    false
}

#[tokio::test]
async fn hosts() {
    for (host, expected) in [
        ("localhost", true),
        ("LocalHost:9", true),
        ("localhost.", true),
        ("127.0.0.1:7400", true),
        ("127.8.8.8", true),
        ("[::1]:7400", true),
        ("[::ffff:127.0.0.1]", true),
        ("192.0.2.7", true),
        ("192.0.2.7:9", true),
        ("yoi.example", true),
        ("YOI.example:1234", true),
        ("ported.example:8443", true),
        ("ported.example", false),
        ("ported.example:80", false),
        ("192.0.2.8", false),
        ("0.0.0.0", false),
        ("evil.example", false),
        ("localhost.evil.example", false),
        ("evil-localhost", false),
        ("yoi.example.evil.example", false),
        ("127.0.0.1.evil.example", false),
        ("user@localhost", false),
        ("localhost:x", false),
        ("localhost:99999", false),
        ("[::1", false),
        ("", false),
    ] {
        let let_in = is_let_in(&Browsers::Forbidden, &[("host", host)]).await;
        assert_eq!(let_in, expected, "{host:?}");
    }
    let two = [("host", "localhost"), ("host", "localhost")];
    assert!(!is_let_in(&Browsers::Forbidden, &two).await);
}

#[tokio::test]
async fn a_target_in_absolute_form_must_agree_with_the_host() {
    let router = edged(|settings| settings.guard = guard(&Browsers::Forbidden));
    let same = get(&router, "http://localhost/notes/w-1", &[]).await;
    assert!(same.status.is_success());
    let other = get(&router, "http://evil.example/notes/w-1", &[]).await;
    assert_eq!(other.problem().code, Code::ForbiddenOrigin);
}

#[tokio::test]
async fn a_runtime_lets_no_browser_in() {
    assert!(is_let_in(&Browsers::Forbidden, &[]).await);
    for header in [
        ("origin", "http://localhost"),
        ("origin", "null"),
        ("sec-fetch-site", "none"),
        ("sec-fetch-site", "same-origin"),
    ] {
        assert!(
            !is_let_in(&Browsers::Forbidden, &[header]).await,
            "{header:?}"
        );
    }
}

#[tokio::test]
async fn a_backend_lets_its_own_and_allowed_pages_in() {
    let host = ("host", "localhost:7400");
    let own = ("origin", "http://localhost:7400");
    let allowed = ("origin", "http://localhost:5173");
    let site = |site| ("sec-fetch-site", site);
    for (headers, expected) in [
        (vec![], true),
        (vec![site("none")], true),
        (vec![site("same-origin")], true),
        (vec![site("same-site")], false),
        (vec![site("cross-site")], false),
        (vec![site("something-new")], false),
        (vec![own], true),
        (vec![own, site("same-origin")], true),
        (vec![("origin", "HTTP://LOCALHOST:7400")], true),
        (vec![("origin", "http://localhost")], false),
        (vec![("origin", "http://127.0.0.1:7400")], false),
        (vec![allowed], true),
        (vec![allowed, site("same-site")], true),
        (
            vec![("origin", "https://app.example"), site("cross-site")],
            true,
        ),
        (vec![("origin", "https://app.example:443")], true),
        (vec![("origin", "http://app.example")], false),
        (vec![("origin", "https://app.example:8443")], false),
        (vec![("origin", "https://evil.example")], false),
        (
            vec![("origin", "https://evil.example"), site("same-origin")],
            false,
        ),
        (vec![("origin", "null")], false),
        (vec![("origin", "")], false),
        (vec![own, allowed], false),
        (vec![site("same-origin"), site("cross-site")], false),
    ] {
        let mut all = vec![host];
        all.extend(headers);
        assert_eq!(is_let_in(&allowing(), &all).await, expected, "{all:?}");
    }
}

#[test]
fn an_entry_that_is_no_host_or_origin_is_named_by_its_place() {
    let bind = "127.0.0.1:0".parse().unwrap();
    let hosts = ["fine.example".to_owned(), "http://not-a-host/".to_owned()];
    let error = OriginGuard::new(bind, &hosts, &Browsers::Forbidden).unwrap_err();
    assert_eq!((error.list, error.index), ("allowed_hosts", 1));
    for bad in [
        "*",
        "app.example",
        "https://app.example/path",
        "ftp://app.example",
        "null",
    ] {
        let browsers = Browsers::Allowed {
            origins: vec![bad.to_owned()],
        };
        let error = OriginGuard::new(bind, &[], &browsers).unwrap_err();
        assert_eq!((error.list, error.index), ("allowed_origins", 0), "{bad}");
        assert!(!error.to_string().contains(bad), "{error}");
    }
}
