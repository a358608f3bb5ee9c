use std::path::Path;

use yoi_config::Loader;

use crate::{Config, complaint, complaint_with};

#[test]
fn every_unknown_key_is_told_with_its_line() {
    let file = "frobnicate = 1\n\n[server]\nbnid = \"x\"\nxyzzy_quux = 2\n\n[[runtimes]]\nid = \"a\"\ncolour = 3";
    assert_eq!(
        complaint(file),
        "yoi.toml:1: unknown key `frobnicate`; known here: server, runtimes, profiles, default_profile, runtime\n\
         yoi.toml:4: unknown key `server.bnid`; did you mean `bind`?\n\
         yoi.toml:5: unknown key `server.xyzzy_quux`; known here: bind, drain_timeout_ms, port, verbose, ratio, allowed_hosts, token, mode\n\
         yoi.toml:9: unknown key `runtimes[0].colour`; known here: id, store"
    );
}

#[test]
fn an_unknown_key_inside_a_tagged_enum_is_told_with_its_line() {
    let file =
        "[[runtimes]]\nid = \"a\"\n\n[runtimes.store]\nkind = \"fs\"\npath = \"x\"\npth = \"y\"";
    assert_eq!(
        complaint(file),
        "yoi.toml:7: unknown key `runtimes[0].store.pth`; did you mean `path`?"
    );
}

#[test]
fn a_value_of_another_type_is_told_by_key_and_never_shown() {
    let cases = [
        ("bind = 77", "`server.bind` must be a text"),
        (
            "port = \"sesame\"",
            "`server.port` must be a whole number from 0 to 65535",
        ),
        (
            "port = 65536",
            "`server.port` must be a whole number from 0 to 65535",
        ),
        (
            "drain_timeout_ms = -1",
            "`server.drain_timeout_ms` must be a whole number from 0 to 18446744073709551615",
        ),
        (
            "verbose = \"sesame\"",
            "`server.verbose` must be true or false",
        ),
        ("ratio = \"sesame\"", "`server.ratio` must be a number"),
        (
            "mode = \"sesame\"",
            "`server.mode` must be one of: slow, fast",
        ),
        (
            "allowed_hosts = \"sesame\"",
            "`server.allowed_hosts` must be an array",
        ),
        (
            "allowed_hosts = [\"a\", 5]",
            "`server.allowed_hosts[1]` must be a text",
        ),
        (
            "token = \"sesame\"",
            "`server.token` must refer to a secret, not be one: { env = \"NAME\" } or { file = \"path\" }",
        ),
        (
            "token = 5",
            "`server.token` must be { env = \"NAME\" } or { file = \"path\" }, not a number",
        ),
        (
            "token = { env = \"A\", file = \"b\" }",
            "`server.token` must have either env or file, not both",
        ),
        ("token = {}", "`server.token` must have either env or file"),
        (
            "token = { evn = \"A\" }",
            "unknown key `server.token.evn`; known here: env, file",
        ),
    ];
    for (line, message) in cases {
        let complaint = complaint(&format!("[server]\n{line}"));
        assert_eq!(complaint, format!("yoi.toml:2: {message}"), "for {line}");
        assert!(
            !complaint.contains("sesame"),
            "shows the value: {complaint}"
        );
    }
}

#[test]
fn a_table_where_none_belongs_and_none_where_one_belongs() {
    assert_eq!(
        complaint("server = 5"),
        "yoi.toml:1: `server` must be a table"
    );
    assert_eq!(
        complaint("profiles = 5"),
        "yoi.toml:1: `profiles` must be a table"
    );
    assert_eq!(
        complaint("[default_profile]\nx = 1"),
        "yoi.toml:1: `default_profile` must be a text"
    );
}

#[test]
fn a_missing_key_is_told_with_its_table() {
    assert_eq!(
        complaint("\n[[runtimes]]\nstore = { kind = \"memory\" }"),
        "yoi.toml:2: `runtimes[0].id` is missing"
    );
    assert_eq!(
        complaint("[[runtimes]]\nid = \"a\"\nstore = { kind = \"fs\" }"),
        "yoi.toml:3: `runtimes[0].store.path` is missing"
    );
}

#[test]
fn a_fault_in_a_variable_names_the_variable() {
    let cases = [
        (
            "YOI_SERVER__BNID",
            "unknown key `server.bnid`; did you mean `bind`?",
        ),
        (
            "YOI_SERVER__PORT",
            "`server.port` must be a whole number from 0 to 65535",
        ),
        (
            "YOI_SERVER__VERBOSE",
            "`server.verbose` must be true or false",
        ),
        (
            "YOI_SERVER__TOKEN",
            "`server.token` must refer to a secret, not be one: { env = \"NAME\" } or { file = \"path\" }",
        ),
        (
            "YOI_SERVER__ALLOWED_HOSTS",
            "`server.allowed_hosts` must be an array, and arrays are set in the file alone",
        ),
        ("YOI_SERVER__", "names no key; write YOI_SECTION__KEY"),
        ("YOI_SERVER__A____B", "names no key; write YOI_SECTION__KEY"),
    ];
    for (name, message) in cases {
        assert_eq!(
            complaint_with("", &[(name, "sesame")]),
            format!("{name}: {message}")
        );
    }
}

#[test]
fn a_variable_sets_neither_arrays_nor_tables() {
    let file = "[server]\nallowed_hosts = []\nport = 3\n[[runtimes]]\nid = \"a\"";
    let cases = [
        (
            "YOI_SERVER__ALLOWED_HOSTS",
            "`server.allowed_hosts` is an array, and arrays are set in the file alone",
        ),
        (
            "YOI_RUNTIMES__0__ID",
            "`runtimes` is an array, and arrays are set in the file alone",
        ),
        ("YOI__SERVER", "`server` is a table; set one of its keys"),
        ("YOI_SERVER__PORT__X", "`server.port` is not a table"),
    ];
    for (name, message) in cases {
        assert_eq!(
            complaint_with(file, &[(name, "sesame")]),
            format!("{name}: {message}")
        );
    }
}

#[test]
fn what_is_not_toml_is_told_by_line_without_showing_it() {
    let complaint = complaint("[server]\ntoken = sesame\n");
    assert!(
        complaint.starts_with("yoi.toml:2: not valid TOML: "),
        "{complaint}"
    );
    assert!(
        !complaint.contains("sesame"),
        "shows the source: {complaint}"
    );
    let twice = crate::complaint("[server]\nport = 1\nport = 2");
    assert_eq!(twice, "yoi.toml:3: not valid TOML: duplicate key");
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let error = Loader::new()
        .file(Path::new("no/such/yoi.toml"))
        .and_then(Loader::load::<Config>)
        .expect_err("there is none");
    assert_eq!(
        error.to_string(),
        "configuration: the file no/such/yoi.toml cannot be read: entity not found"
    );
}
