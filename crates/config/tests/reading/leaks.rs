//! Whatever stands wherever, no message repeats it.

use crate::{environment, load};

/// Every way to write something that could be a secret.
const VALUES: &[&str] = &[
    "\"s3same\"",
    "'''\ns3same'''",
    "s3same",
    "\"s3same",
    "7331",
    "-7331.5",
    "99999999999999999999999997331",
    "1733-01-01",
    "[\"s3same\"]",
    "[7331, \"s3same\", []]",
    "{ env = 7331 }",
    "{ file = [\"s3same\"] }",
    "{ env = \"s3same\", file = \"s3same\" }",
    "{ kind = \"s3same\" }",
    "{ kind = \"fs\", path = 7331 }",
    "{ kind = 7331 }",
];

const KEYS: &[&str] = &[
    "bind",
    "port",
    "drain_timeout_ms",
    "verbose",
    "ratio",
    "allowed_hosts",
    "token",
    "mode",
    "id",
    "store",
    "kind",
    "path",
    "env",
    "file",
    "other",
    "kill_grace_ms",
];

const SECTIONS: &[&str] = &[
    "",
    "[server]",
    "[server.token]",
    "[[runtimes]]",
    "[[runtimes]]\nid = \"a\"",
    "[[runtimes]]\nid = \"a\"\n[runtimes.store]",
    "[[runtimes]]\nid = \"a\"\n[runtimes.store]\nkind = \"fs\"",
    "[profiles.a]",
    "[other]",
    "[runtime]",
];

fn shows(text: &str) -> bool {
    ["s3same", "7331", "1733"]
        .iter()
        .any(|value| text.contains(value))
}

#[test]
fn no_fault_of_a_file_shows_a_value() {
    let mut faults = 0;
    for section in SECTIONS {
        for key in KEYS {
            for value in VALUES {
                let file = format!("{section}\n{key} = {value}\n");
                if let Err(error) = load(&file, &environment(&[])) {
                    let told = format!("{error} {error:?}");
                    assert!(!shows(&told), "{told}\nof\n{file}");
                    faults += 1;
                }
            }
        }
    }
    assert!(faults > 1000, "only {faults} of these are wrong");
}

#[test]
fn no_fault_of_a_variable_shows_its_value() {
    let sections = [
        "SERVER",
        "SERVER__TOKEN",
        "RUNTIMES",
        "RUNTIMES__0",
        "PROFILES__A",
        "OTHER",
    ];
    let mut faults = 0;
    for section in sections {
        for key in KEYS {
            let name = format!("YOI_{section}__{}", key.to_ascii_uppercase());
            if let Err(error) = load("", &environment(&[(&name, "s3same")])) {
                let told = format!("{error} {error:?}");
                assert!(!shows(&told), "{told}");
                assert!(told.contains(&name), "{told}");
                faults += 1;
            }
        }
    }
    assert!(faults > 60, "only {faults} of these are wrong");
}
