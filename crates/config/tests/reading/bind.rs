use serde::Deserialize;
use yoi_config::{BindAddress, Loader};

#[derive(Debug, Deserialize)]
struct Config {
    bind: BindAddress,
}

fn bind(text: &str) -> Result<BindAddress, String> {
    Loader::new()
        .text("yoi.toml", &format!("bind = \"{text}\""))
        .and_then(Loader::load::<Config>)
        .map(|loaded| loaded.value.bind)
        .map_err(|error| error.to_string())
}

#[test]
fn only_addresses_of_this_machine_are_loopback() {
    for inside in [
        "127.0.0.1:0",
        "127.9.9.9:1",
        "[::1]:7400",
        "[::ffff:127.0.0.1]:1",
    ] {
        assert!(bind(inside).expect(inside).is_loopback(), "{inside}");
    }
    for outside in [
        "0.0.0.0:1",
        "[::]:1",
        "192.168.0.1:1",
        "[::ffff:10.0.0.1]:1",
    ] {
        assert!(!bind(outside).expect(outside).is_loopback(), "{outside}");
    }
}

#[test]
fn a_name_is_not_an_address() {
    for wrong in ["localhost:7400", "127.0.0.1", "7400", "", "127.0.0.1:70000"] {
        assert_eq!(
            bind(wrong).expect_err(wrong),
            "yoi.toml:1: `bind` must be an IP address and a port, like 127.0.0.1:7400 or [::1]:7400"
        );
    }
}
