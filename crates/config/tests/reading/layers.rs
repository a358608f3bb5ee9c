use yoi_config::{Loader, Place};

use crate::{Config, Mode, Store, environment, load, no_environment};

#[test]
fn with_nothing_at_all_the_defaults_hold() {
    let config = Loader::new().load::<Config>().expect("defaults").value;
    assert_eq!(config.server.bind, "127.0.0.1:7400");
    assert!(config.runtimes.is_empty());
}

#[test]
fn a_flag_wins_over_a_variable_over_the_file_over_the_default() {
    let file = "[server]\nbind = \"file\"";
    let variable = environment(&[("YOI_SERVER__BIND", "variable")]);
    let bind = |environment, flag: Option<&str>, text| {
        let loaded = Loader::new()
            .text("yoi.toml", text)
            .expect("TOML")
            .environment(environment)
            .flag("--bind", "server.bind", flag.map(str::to_owned))
            .load::<Config>()
            .expect("valid");
        (loaded.place("server.bind"), loaded.value.server.bind)
    };
    let none = no_environment();
    let (place, value) = bind(&variable, Some("flag"), file);
    assert_eq!((place, value.as_str()), (Place::Flag("--bind"), "flag"));
    let (place, value) = bind(&variable, None, file);
    assert_eq!(place, Place::Variable("YOI_SERVER__BIND".to_owned()));
    assert_eq!(value, "variable");
    let (place, value) = bind(&none, None, file);
    assert_eq!(
        (place.to_string().as_str(), value.as_str()),
        ("yoi.toml:2", "file")
    );
    let (_, value) = bind(&none, None, "");
    assert_eq!(value, "127.0.0.1:7400");
}

#[test]
fn a_variable_becomes_the_type_that_is_asked_for() {
    let variables = environment(&[
        ("YOI_SERVER__DRAIN_TIMEOUT_MS", "250"),
        ("YOI_SERVER__PORT", "7"),
        ("YOI_SERVER__VERBOSE", "true"),
        ("YOI_SERVER__RATIO", "0.5"),
        ("YOI_SERVER__MODE", "fast"),
        ("YOI_SERVER__BIND", "12345"),
    ]);
    let server = load("", &variables).expect("valid").value.server;
    assert_eq!(server.drain_timeout_ms, 250);
    assert_eq!(server.port, 7);
    assert!(server.verbose);
    assert!((server.ratio - 0.5).abs() < f64::EPSILON);
    assert_eq!(server.mode, Mode::Fast);
    assert_eq!(
        server.bind, "12345",
        "digits are a text where a text is asked for"
    );
}

#[test]
fn a_key_at_the_top_has_two_underscores_before_it() {
    let variables = environment(&[("YOI__DEFAULT_PROFILE", "upper")]);
    let config = load("default_profile = \"echo\"", &variables)
        .expect("valid")
        .value;
    assert_eq!(config.default_profile.as_deref(), Some("upper"));
}

#[test]
fn variables_without_two_underscores_are_none_of_ours() {
    let variables = environment(&[
        ("YOI_TOKEN", "x"),
        ("YOI_BACKEND", "x"),
        ("HOME__SWEET", "x"),
        ("YOISERVER__BIND", "x"),
    ]);
    assert_eq!(
        load("", &variables).expect("valid").value.server.bind,
        "127.0.0.1:7400"
    );
}

#[test]
fn a_variable_finds_a_name_that_it_cannot_spell() {
    let variables = environment(&[("YOI_PROFILES__MY_TR_2__KILL_GRACE_MS", "9")]);
    let config = load("[profiles.\"my-tr.2\"]\nkill_grace_ms = 1", &variables)
        .expect("valid")
        .value;
    assert_eq!(config.profiles["my-tr.2"].kill_grace_ms, 9);
}

#[test]
fn a_flag_alone_replaces_what_stood_beside_it() {
    let token = |flag| {
        Loader::new()
            .text("yoi.toml", "[server]\ntoken = { file = \"a\" }")
            .expect("TOML")
            .flag_alone("--token-env", "server.token.env", flag)
            .load::<Config>()
            .map(|loaded| format!("{:?}", loaded.value.server.token))
    };
    assert_eq!(
        token(Some("NAME".to_owned())),
        Ok("Some(SecretRef(env NAME))".to_owned())
    );
    assert_eq!(
        token(None),
        Ok("Some(SecretRef(file))".to_owned()),
        "not given, not replaced"
    );
}

#[test]
fn enums_with_a_tag_are_read_from_every_layer() {
    let file = "[[runtimes]]\nid = \"a\"\nstore = { kind = \"fs\", path = \"./data\" }\n\
                [[runtimes]]\nid = \"b\"\nstore = { kind = \"memory\" }";
    let runtimes = load(file, &no_environment()).expect("valid").value.runtimes;
    let path = "./data".to_owned();
    assert_eq!(runtimes[0].store, Some(Store::Fs { path }));
    assert_eq!(runtimes[1].store, Some(Store::Memory {}));
    assert_eq!(runtimes[1].id, "b");
}

#[test]
fn the_sections_of_another_program_pass_whatever_they_hold() {
    let file = "[runtime]\nanything = [1, { deep = 1979-05-27 }]\nratio = 1.5\nyes = true\n\
                token = \"even a literal\"\n[runtime.more]\nkeys = \"x\"";
    let variables = environment(&[("YOI_RUNTIME__NOT__KNOWN__HERE", "1")]);
    load(file, &variables).expect("not ours to judge");
}

#[test]
fn a_key_that_is_not_set_is_said_to_be_where_its_table_is() {
    let file = "\n[server]\nport = 3\n[[runtimes]]\nid = \"a\"\n[[runtimes]]\n\nid = \"b\"";
    let loaded = load(file, &no_environment()).expect("valid");
    assert_eq!(loaded.place("server.bind").to_string(), "yoi.toml:2");
    assert_eq!(loaded.place("runtimes[1].id").to_string(), "yoi.toml:8");
    assert_eq!(loaded.place("nothing.of.it").to_string(), "yoi.toml:1");
    assert_eq!(
        loaded.fault("runtimes[1].id", "is taken").to_string(),
        "yoi.toml:8: `runtimes[1].id` is taken"
    );
}
