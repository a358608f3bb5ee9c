use std::fs;

use tempfile::tempdir;

use super::{exchange, one_after_the_other};

/// The store of before, the repaired one, and a name that somebody else has.
fn folders() -> (tempfile::TempDir, [std::path::PathBuf; 3]) {
    let folder = tempdir().unwrap();
    let names = ["data", "data.repaired", "data.before"];
    let paths = names.map(|name| folder.path().join(name));
    for path in &paths[..2] {
        fs::create_dir(path).unwrap();
        fs::write(
            path.join("what"),
            path.file_name().unwrap().as_encoded_bytes(),
        )
        .unwrap();
    }
    (folder, paths)
}

fn what(path: &std::path::Path) -> String {
    fs::read_to_string(path.join("what")).unwrap()
}

#[test]
fn the_two_change_their_names() {
    for how in [exchange, one_after_the_other] {
        let (_folder, [path, new, before]) = folders();
        assert_eq!(how(&path, &new, &before).unwrap(), before);
        assert_eq!(
            (what(&path), what(&before)),
            ("data.repaired".into(), "data".into())
        );
        assert!(!new.exists());
    }
}

#[test]
fn the_store_of_before_is_there_whatever_name_it_can_have() {
    let (_folder, [path, new, before]) = folders();
    fs::create_dir(&before).unwrap();
    fs::write(before.join("theirs"), "").unwrap();
    assert_eq!(exchange(&path, &new, &before).unwrap(), new);
    assert_eq!(
        (what(&path), what(&new)),
        ("data.repaired".into(), "data".into())
    );
}

#[test]
fn nothing_is_changed_where_one_of_them_cannot_be_renamed() {
    let (_folder, [path, new, before]) = folders();
    fs::create_dir(&before).unwrap();
    fs::write(before.join("theirs"), "").unwrap();
    one_after_the_other(&path, &new, &before).unwrap_err();
    assert_eq!(
        (what(&path), what(&new)),
        ("data".into(), "data.repaired".into())
    );

    let (_folder, [path, new, before]) = folders();
    let missing = new.with_file_name("nothing");
    for how in [exchange, one_after_the_other] {
        how(&path, &missing, &before).unwrap_err();
        assert_eq!(what(&path), "data");
        assert!(!before.exists());
    }
}
