//! The same operations on both disks, drawn by a seed.

use std::fmt;
use std::io;

use fastrand::Rng;
use worker_runtime::store::fs::disk::{Disk, DiskFile, OsDisk};

use crate::sim::{Loss, SimDisk};

const NAMES: [&str; 3] = ["a", "b", "c"];
const LONGEST: u64 = 1500;

/// A disk, and a file of it.
struct User<'a> {
    disk: &'a dyn Disk,
    file: Option<Box<dyn DiskFile>>,
}

impl User<'_> {
    /// Does something, and tells what can be seen of it.
    fn step(&mut self, rng: &mut Rng) -> String {
        let (name, other) = (NAMES[rng.usize(..3)], NAMES[rng.usize(..3)]);
        let (offset, size) = (rng.u64(..LONGEST), rng.u64(..LONGEST));
        let bytes = vec![rng.u8(..); rng.usize(..700)];
        let step = rng.u8(..10);
        let told = match (step, &self.file) {
            (0, _) => self.take(self.disk.create(name)),
            (1, _) => self.take(self.disk.open(name)),
            (2, _) => told(self.disk.rename(name, other)),
            (3, _) => told(self.disk.remove(name)),
            (4, Some(file)) => told(file.set_size(size)),
            (5, Some(file)) => told(file.allocate(size)),
            (6, Some(file)) => {
                let mut bytes = bytes;
                let read = file.read_at(&mut bytes, offset);
                format!("{} {bytes:?}", told(read))
            }
            (7 | 8, Some(file)) => told(file.write_at(&bytes, offset)),
            (9, Some(file)) => told(file.size()),
            _ => String::new(),
        };
        format!("{step} {name} {other} {offset} {size}: {told}")
    }

    fn take(&mut self, file: io::Result<Box<dyn DiskFile>>) -> String {
        told(file.map(|file| self.file = Some(file)))
    }
}

fn told<T: fmt::Debug>(result: io::Result<T>) -> String {
    format!("{:?}", result.map_err(|error| error.kind()))
}

#[test]
fn both_disks_give_the_same_answers() {
    for seed in 0..40 {
        let (sim, folder) = (SimDisk::new(), tempfile::tempdir().unwrap());
        let os = OsDisk::open(folder.path()).unwrap();
        let user = |disk| User { disk, file: None };
        let (mut on_sim, mut on_os) = (user(&sim as &dyn Disk), user(&os));
        let (mut sim_rng, mut os_rng) = (Rng::with_seed(seed), Rng::with_seed(seed));
        for step in 0..80 {
            let (told, expected) = (on_sim.step(&mut sim_rng), on_os.step(&mut os_rng));
            assert_eq!(told, expected, "step {step} of seed {seed}");
        }
        let files = sim.files();
        for (name, bytes) in &files {
            assert_eq!(&std::fs::read(folder.path().join(name)).unwrap(), bytes);
        }
        assert_eq!(os.list().unwrap().len(), files.len());
    }
}

/// What is not durable, put together, is what is read.
#[test]
fn nothing_is_lost_but_by_a_power_loss() {
    for seed in 0..40 {
        let (sim, mut rng) = (SimDisk::new(), Rng::with_seed(seed));
        let mut user = User {
            disk: &sim,
            file: None,
        };
        for _ in 0..80 {
            user.step(&mut rng);
            match rng.u8(..16) {
                0 => sim.sync_folder().unwrap(),
                1 => user.file.iter().for_each(|file| file.sync().unwrap()),
                _ => {}
            }
            assert_eq!(sim.power_loss(Loss::Nothing).files(), sim.files());
            assert_eq!(sim.killed().files(), sim.files());
        }
        for name in sim.files().keys() {
            sim.open(name).unwrap().sync().unwrap();
        }
        sim.sync_folder().unwrap();
        assert_eq!(sim.pieces(), [""; 0]);
        assert_eq!(sim.power_loss(Loss::Everything).files(), sim.files());
    }
}
