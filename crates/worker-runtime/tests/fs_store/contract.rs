//! The durable store keeps what every store guarantees, on the real disk and on the simulated one.

use std::path::Path;
use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use worker_runtime::Store;
use worker_runtime::store::fs::{FsOptions, FsStore, Maintenance, Retention};
use yoi_protocol::RuntimeId;
use yoi_testkit::contract::store;

use crate::sim::{Failure, Kind, Loss, Nth, SimDisk};

/// So small that every check goes through several segments.
fn options() -> FsOptions {
    FsOptions::new(RuntimeId::parse("rt-1").unwrap()).segment_bytes(16 * 1024)
}

/// Stores in folders of their own, that are there as long as this is.
#[derive(Default)]
struct Folders(Mutex<Vec<(Arc<FsStore>, TempDir)>>);

impl Folders {
    fn open(&self, options: FsOptions) -> Arc<FsStore> {
        self.open_in(tempfile::tempdir().unwrap(), options)
    }

    fn open_in(&self, folder: TempDir, options: FsOptions) -> Arc<FsStore> {
        let store = Arc::new(FsStore::open(folder.path(), options).unwrap());
        let mut all = self.0.lock().unwrap();
        all.push((Arc::clone(&store), folder));
        store
    }

    /// What the next process finds when this one is killed now.
    fn killed(&self, store: &Arc<FsStore>, options: FsOptions) -> Arc<FsStore> {
        let copy = tempfile::tempdir().unwrap();
        {
            let all = self.0.lock().unwrap();
            let mut ours = all.iter().filter(|(one, _)| Arc::ptr_eq(one, store));
            copy_files(ours.next().unwrap().1.path(), copy.path());
        }
        self.open_in(copy, options)
    }
}

fn copy_files(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[tokio::test]
async fn on_the_real_disk() {
    let folders = Folders::default();
    store::check(async || folders.open(options()) as Arc<dyn Store>).await;
}

#[tokio::test]
async fn on_the_real_disk_when_it_is_killed() {
    let folders = Folders::default();
    store::check_crash(
        async || folders.open(options()),
        async |store| folders.killed(&store, options()),
    )
    .await;
}

#[tokio::test]
async fn on_the_real_disk_when_it_gives_up_the_oldest() {
    for (max_worker_events, max_worker_bytes) in [
        (1, u64::MAX),
        (9, u64::MAX),
        (400, u64::MAX),
        (1_000, 20_000),
    ] {
        let options = || {
            options().retention(Retention {
                max_worker_events,
                max_worker_bytes,
                max_age_ms: None,
                max_bytes: None,
            })
        };
        let folders = Folders::default();
        store::check_durable_bounded(
            async || folders.open(options()),
            async |store| folders.killed(&store, options()),
        )
        .await;
    }
}

/// Stores on simulated disks, whose disk is found again.
#[derive(Default)]
struct Disks(Mutex<Vec<(Arc<FsStore>, SimDisk)>>);

impl Disks {
    fn open(&self, disk: SimDisk) -> Arc<FsStore> {
        self.open_with(disk, options())
    }

    fn open_with(&self, disk: SimDisk, options: FsOptions) -> Arc<FsStore> {
        let options = options.maintenance(Maintenance::Manual);
        let store = FsStore::open_on(Arc::new(disk.clone()), options).unwrap();
        let store = Arc::new(store);
        let mut all = self.0.lock().unwrap();
        all.push((Arc::clone(&store), disk));
        store
    }

    fn of(&self, store: &FsStore) -> SimDisk {
        let all = self.0.lock().unwrap();
        let mut ours = all
            .iter()
            .filter(|(one, _)| std::ptr::eq(Arc::as_ptr(one), store));
        ours.next().unwrap().1.clone()
    }
}

#[tokio::test]
async fn when_the_power_is_lost() {
    for loss in [
        Loss::Everything,
        Loss::Nothing,
        Loss::Seed(1),
        Loss::Seed(2),
    ] {
        let disks = Disks::default();
        store::check_crash(
            async || disks.open(SimDisk::new()),
            async |store| disks.open(disks.of(&store).power_loss(loss)),
        )
        .await;
    }
}

#[tokio::test]
async fn when_it_cannot_tell_what_it_kept() {
    for loss in [Loss::Everything, Loss::Nothing, Loss::Seed(3)] {
        // One segment for all, so that what fails is the sync of the record itself.
        let options = options().segment_bytes(1 << 20);
        let disks = Disks::default();
        store::check_uncertain(
            async || disks.open_with(SimDisk::new(), options.clone()),
            |store: &FsStore| {
                let failure = Failure::os(5).losing(loss);
                let fault = disks.of(store).fail(Nth::of(Kind::Sync, 0), failure);
                std::mem::forget(fault);
            },
            async |store| disks.open(disks.of(&store).power_loss(loss)),
        )
        .await;
    }
}
