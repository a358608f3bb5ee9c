//! What many watchers cost: `cargo bench -p yoi-workspace-server --bench watchers [-- busy|burst|idle]`.
//! Those of a Backend, and in the same run as many under the same load that watch the Runtime
//! itself. Runtime, Backend and watchers are processes of their own, so that each shows what it
//! costs by itself.

#![allow(clippy::unwrap_used, reason = "what a benchmark cannot go on without")]
#![allow(clippy::print_stdout, reason = "figures are what it is for")]

mod burst;
mod busy;
mod crowd;
mod idle;
mod inbox;
mod load;
mod process;
mod servers;
mod stage;
mod tally;

use stage::Stage;

const SECTIONS: [&str; 3] = ["busy", "burst", "idle"];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (role, rest) = match arguments.split_first() {
        Some((role, rest)) => (role.as_str(), rest),
        None => ("", &[][..]),
    };
    match role {
        crowd::CROWD => return crowd::be_crowd(rest),
        servers::RUNTIME => return tokio().block_on(servers::be_runtime()),
        servers::BACKEND => return tokio().block_on(servers::be_backend(&rest[0])),
        _ => {}
    }
    let asked = |section: &str| arguments.iter().any(|argument| argument == section);
    let all = !SECTIONS.iter().any(|section| asked(section));
    let open_files = process::raise_open_files();
    tokio().block_on(async {
        if all || asked("busy") {
            busy::measure(&Stage::set().await).await;
        }
        if all || asked("burst") {
            burst::measure(&Stage::set().await).await;
        }
        if all || asked("idle") {
            idle::measure(&Stage::set().await, open_files).await;
        }
    });
}

fn tokio() -> tokio::runtime::Runtime {
    tokio::runtime::Runtime::new().unwrap()
}
