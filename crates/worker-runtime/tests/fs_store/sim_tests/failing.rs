//! Operations that fail as planned.

use std::io::{self, ErrorKind};

use worker_runtime::store::fs::disk::{Disk, Lock};

use super::{durable, names, read};
use crate::sim::{Failure, Kind, Loss, Nth, SimDisk};

const BROKEN: ErrorKind = ErrorKind::Other;

/// Does each operation once, or all up to one that fails.
fn everything(disk: &SimDisk) -> io::Result<()> {
    let _held = disk.lock("lock", "me")?;
    disk.list()?;
    let file = disk.create("a")?;
    file.allocate(600)?;
    file.write_at(b"0123456789", 5)?;
    file.set_size(700)?;
    file.sync()?;
    disk.sync_folder()?;
    disk.rename("a", "b")?;
    let file = disk.open("b")?;
    file.size()?;
    file.read_at(&mut [0; 4], 5)?;
    disk.remove("b")
}

#[test]
fn every_operation_is_recorded() {
    let disk = SimDisk::new();
    everything(&disk).unwrap();
    disk.open("b").unwrap_err();
    let told: Vec<_> = disk
        .ops()
        .iter()
        .map(|op| {
            let to = op.to.as_deref().unwrap_or("-");
            let failed = op.failed.map_or("-".to_owned(), |kind| format!("{kind:?}"));
            format!(
                "{} {:?} {:?} {to} {} {} {failed}",
                op.index, op.kind, op.file, op.offset, op.len
            )
        })
        .collect();
    let expected = [
        r#"0 Lock "lock" - 0 0 -"#,
        r#"1 List "" - 0 0 -"#,
        r#"2 Create "a" - 0 0 -"#,
        r#"3 Allocate "a" - 0 600 -"#,
        r#"4 Write "a" - 5 10 -"#,
        r#"5 SetSize "a" - 0 700 -"#,
        r#"6 Sync "a" - 0 0 -"#,
        r#"7 SyncFolder "" - 0 0 -"#,
        r#"8 Rename "a" b 0 0 -"#,
        r#"9 Open "b" - 0 0 -"#,
        r#"10 Size "b" - 0 0 -"#,
        r#"11 Read "b" - 5 4 -"#,
        r#"12 Remove "b" - 0 0 -"#,
        r#"13 Open "b" - 0 0 NotFound"#,
    ];
    assert_eq!(told, expected);
    assert_eq!((disk.count(Kind::Open), disk.count(Kind::Sync)), (2, 1));
}

#[test]
fn each_operation_can_fail_and_then_does_nothing() {
    let whole = SimDisk::new();
    everything(&whole).unwrap();
    for op in whole.ops() {
        let (disk, before) = (SimDisk::new(), SimDisk::new());
        before.stop_at(op.index);
        everything(&before).unwrap_err();
        let fault = disk.fail(Nth::op(op.index), Failure::error(BROKEN));
        assert_eq!(everything(&disk).unwrap_err().kind(), BROKEN, "{op:?}");
        assert_eq!(fault.fired(), 1);
        assert_eq!(disk.ops().len(), op.index + 1);
        assert_eq!(disk.ops()[op.index].failed, Some(BROKEN));
        assert_eq!(disk.files(), before.files(), "{op:?}");
        assert_eq!(disk.pieces(), before.pieces(), "{op:?}");
    }
}

#[test]
fn a_failure_waits_for_its_operation() {
    let disk = SimDisk::new();
    let file = durable(&disk, "a", b"");
    let _fault = disk.fail(Nth::of(Kind::Sync, 1), Failure::os(5));
    file.sync().unwrap();
    file.write_at(b"x", 0).unwrap();
    assert_eq!(file.sync().unwrap_err().raw_os_error(), Some(5));
    file.sync().unwrap();

    let on_b = Nth::when(0, |op| op.kind == Kind::Write && op.file == "b");
    let _fault = disk.fail(on_b, Failure::error(BROKEN));
    file.write_at(b"x", 0).unwrap();
    disk.rename("a", "b").unwrap();
    file.write_at(b"x", 0).unwrap_err();
}

#[test]
fn a_failure_can_go_on_until_it_is_over() {
    let disk = SimDisk::new();
    let file = durable(&disk, "a", b"");
    let fault = disk.fail(Nth::of(Kind::Write, 1).onwards(), Failure::error(BROKEN));
    file.write_at(b"1", 0).unwrap();
    file.write_at(b"2", 0).unwrap_err();
    file.write_at(b"3", 0).unwrap_err();
    assert_eq!(fault.fired(), 2);
    drop(fault);
    file.write_at(b"4", 0).unwrap();
    assert_eq!(read(&disk, "a"), b"4");
}

#[test]
fn a_short_write_leaves_its_first_bytes() {
    let disk = SimDisk::new();
    let file = durable(&disk, "a", b"......");
    let failure = Failure::error(BROKEN).short(3);
    let _fault = disk.fail(Nth::of(Kind::Write, 0), failure);
    file.write_at(b"12345", 4).unwrap_err();
    assert_eq!(read(&disk, "a"), b"....123");
}

#[test]
fn an_operation_can_be_done_and_said_to_have_failed() {
    let disk = SimDisk::new();
    let failure = Failure::error(BROKEN).done();
    let fault = disk.fail(Nth::op(0).onwards(), failure);
    disk.create("a").unwrap_err();
    disk.rename("a", "b").unwrap_err();
    disk.sync_folder().unwrap_err();
    disk.lock("lock", "nobody").unwrap_err();
    drop(fault);
    assert_eq!(names(&disk.power_loss(Loss::Everything)), ["b"]);
    let lock = disk.lock("lock", "me").unwrap();
    assert!(matches!(lock, Lock::Taken(_)), "{lock:?}");
}

#[test]
#[should_panic(expected = "never happened")]
fn a_failure_that_never_happens_fails_the_test() {
    let disk = SimDisk::new();
    let _fault = disk.fail(Nth::of(Kind::List, 1), Failure::error(BROKEN));
    disk.list().unwrap();
}

#[test]
fn a_failure_that_need_not_happen_does_not() {
    let disk = SimDisk::new();
    let fault = disk.fail(Nth::of(Kind::List, 1), Failure::error(BROKEN));
    let fault = fault.optional();
    disk.list().unwrap();
    assert_eq!(fault.fired(), 0);
}

#[test]
#[should_panic(expected = "cannot fail like that")]
fn only_a_write_is_short() {
    let disk = SimDisk::new();
    let failure = Failure::error(BROKEN).short(1);
    let _fault = disk.fail(Nth::op(0), failure);
    disk.list().unwrap();
}
