//! What a process costs, as Linux tells it.

use std::collections::HashSet;
use std::fs;
use std::time::Duration;

use rustix::param::clock_ticks_per_second;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// A process of this benchmark.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pid(pub(crate) u32);

impl Pid {
    fn read(self, file: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{file}", self.0)).unwrap()
    }

    /// Its bytes in memory; what the kernel holds for its sockets is not among them.
    pub(crate) fn resident(self) -> u64 {
        let status = self.read("status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.split_whitespace().next());
        kib.unwrap().parse::<u64>().unwrap() * 1024
    }

    /// The time that it has had on processors.
    pub(crate) fn cpu(self) -> Duration {
        let stat = self.read("stat");
        // The name before may have spaces. User and system time are fields 14 and 15.
        let (_, fields) = stat.rsplit_once(") ").unwrap();
        let times = fields.split(' ').skip(11).take(2);
        let ticks: u64 = times.map(|ticks| ticks.parse::<u64>().unwrap()).sum();
        Duration::from_secs_f64(ticks as f64 / clock_ticks_per_second() as f64)
    }

    /// How many connections it has to a port of this machine.
    pub(crate) fn connections_to(self, port: u16) -> usize {
        const ESTABLISHED: &str = "01";
        let sockets = self.sockets();
        let port = format!(":{port:04X}");
        let table = self.read("net/tcp");
        let rows = table.lines().skip(1).filter(|row| {
            let fields: Vec<&str> = row.split_whitespace().collect();
            fields[2].ends_with(&port) && fields[3] == ESTABLISHED && sockets.contains(fields[9])
        });
        rows.count()
    }

    /// The inodes of its sockets.
    fn sockets(self) -> HashSet<String> {
        let open = fs::read_dir(format!("/proc/{}/fd", self.0)).unwrap();
        let targets = open.filter_map(|file| fs::read_link(file.ok()?.path()).ok());
        targets
            .filter_map(|target| {
                let inode = target.to_str()?.strip_prefix("socket:[")?;
                Some(inode.strip_suffix(']')?.to_owned())
            })
            .collect()
    }
}

/// Lets this process and its children have as many open files as they may, and says how many.
pub(crate) fn raise_open_files() -> u64 {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    setrlimit(Resource::Nofile, raised).unwrap();
    maximum.unwrap_or(u64::MAX)
}
