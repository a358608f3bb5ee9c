use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use yoi_config::{Environment, Secret, SecretError, SecretRef, SecretSource};

use crate::{environment, no_environment};

fn source_of(path: &Path) -> Result<SecretSource, SecretError> {
    SecretSource::open(&SecretRef::File(path.to_owned()), &no_environment())
        .map(|source| source.looked_at_every(Duration::ZERO))
}

#[test]
fn a_secret_is_found_in_a_variable() {
    let variables = environment(&[("TOKEN", "sesame"), ("NOTHING", "")]);
    let open = |name: &str| SecretSource::open(&SecretRef::Env(name.to_owned()), &variables);
    assert_eq!(open("TOKEN").expect("set").current().expose(), "sesame");
    assert_eq!(
        open("OTHER").err(),
        Some(SecretError::NotSet("OTHER".to_owned()))
    );
    assert_eq!(open("NOTHING").err(), Some(SecretError::Empty));
}

#[test]
fn a_file_is_read_again_when_it_changes() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("token");
    fs::write(&path, "first\n").expect("written");
    let source = source_of(&path).expect("readable");
    assert_eq!(
        source.current().expose(),
        "first",
        "the line end does not count"
    );

    fs::write(&path, "the second\r\n").expect("written");
    assert_eq!(source.current().expose(), "the second");

    let next = folder.path().join("next");
    fs::write(&next, "the sekond").expect("written");
    fs::rename(&next, &path).expect("replaced");
    assert_eq!(
        source.current().expose(),
        "the sekond",
        "replaced by one of the same length"
    );
}

#[test]
fn a_file_is_not_looked_at_each_time_unless_it_must() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("token");
    fs::write(&path, "first").expect("written");
    let source = source_of(&path)
        .expect("readable")
        .looked_at_every(Duration::from_secs(3600));
    fs::write(&path, "the second").expect("written");
    assert_eq!(source.current().expose(), "first", "nobody looked");
    assert_eq!(source.refresh(), Ok(true));
    assert_eq!(source.current().expose(), "the second");
}

#[test]
fn a_change_is_seen_in_about_a_second_unless_told_otherwise() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("token");
    fs::write(&path, "first").expect("written");
    let reference = SecretRef::File(path.clone());
    let source = SecretSource::open(&reference, &no_environment()).expect("readable");
    fs::write(&path, "the second").expect("written");
    let deadline = Instant::now() + Duration::from_secs(20);
    while source.current().expose() != "the second" {
        assert!(Instant::now() < deadline, "nobody looks");
        std::thread::park_timeout(Duration::from_millis(10));
    }
}

#[test]
fn while_a_file_is_gone_the_last_secret_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("token");
    fs::write(&path, "first").expect("written");
    let source = source_of(&path).expect("readable");

    fs::remove_file(&path).expect("removed");
    assert_eq!(source.current().expose(), "first");
    assert!(matches!(source.refresh(), Err(SecretError::Unreadable(_))));
    fs::write(&path, "").expect("written");
    assert_eq!(source.current().expose(), "first");
    assert_eq!(source.refresh(), Err(SecretError::Empty));
    fs::write(&path, "other").expect("written");
    assert_eq!(source.current().expose(), "other");
}

#[test]
fn a_refresh_tells_whether_the_secret_is_another() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("token");
    fs::write(&path, "first").expect("written");
    let source = source_of(&path).expect("readable");
    assert_eq!(source.refresh(), Ok(false));
    fs::write(&path, "other").expect("written");
    assert_eq!(source.refresh(), Ok(true));
    assert_eq!(source.refresh(), Ok(false));
}

#[test]
fn what_cannot_be_a_secret_is_refused_at_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("token");
    let refused = |bytes: &[u8]| {
        fs::write(&path, bytes).expect("written");
        source_of(&path).err()
    };
    assert_eq!(refused(b"\n"), Some(SecretError::Empty));
    assert_eq!(refused(&[0xff, 0xfe]), Some(SecretError::NotText));
    assert_eq!(refused(&vec![b'a'; 65_537]), Some(SecretError::TooLarge));
    assert_eq!(refused(&vec![b'a'; 65_536]), None);
    assert!(matches!(
        source_of(folder.path()).err(),
        Some(SecretError::Unreadable(_))
    ));
}

#[test]
fn nothing_shows_a_secret_or_where_it_lies() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("sesame-file");
    fs::write(&path, "sesame").expect("written");
    let reference = SecretRef::File(path.clone());
    let variables: Environment = [("TOKEN", "sesame")].into_iter().collect();
    let source = source_of(&path).expect("readable");
    fs::remove_file(&path).expect("removed");
    let gone = source.refresh().expect_err("gone");
    let shown = format!(
        "{reference:?} {variables:?} {source:?} {:?} {gone:?} {gone}",
        Secret::new("sesame")
    );
    assert!(!shown.contains("sesame"), "{shown}");
}

#[test]
fn a_secret_matches_itself_alone() {
    let secret = Secret::new("sesame");
    assert!(secret.matches(b"sesame"));
    for other in ["", "sesam", "sesame ", "Sesame", "sesamf"] {
        assert!(!secret.matches(other.as_bytes()), "matched {other:?}");
    }
}
