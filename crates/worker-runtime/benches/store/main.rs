//! The durable store beside the raw disk, in one run: `cargo bench -p worker-runtime --features
//! fs-store --bench store [-- FOLDER]`. Figures are ratios; the machine's own are beside them.
//!
//! `FOLDER` is where the files go, the folder for temporary ones unless said: it should be on the
//! disk that is asked about, and not in memory.

#![allow(clippy::unwrap_used, reason = "what a benchmark cannot go on without")]
#![allow(clippy::print_stdout, reason = "figures are what it is for")]

mod commits;
mod memory;
mod raw;
mod sample;
mod start;

use std::path::PathBuf;

use tempfile::TempDir;

fn main() {
    let arguments = std::env::args().skip(1);
    let folder: Option<PathBuf> = arguments
        .filter(|argument| !argument.starts_with("--"))
        .map(PathBuf::from)
        .next();
    let place = Place(folder.unwrap_or_else(std::env::temp_dir));
    let tokio = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    if let Some(what) = std::env::var_os(memory::ALONE) {
        return tokio.block_on(memory::alone(&what.to_string_lossy(), &place));
    }
    tokio.block_on(async {
        commits::throughput(&place).await;
        commits::history(&place).await;
        commits::workers(&place).await;
        commits::bytes(&place).await;
        start::start(&place).await;
        memory::measure(&place);
    });
}

/// Where the files go.
struct Place(PathBuf);

impl Place {
    fn folder(&self) -> TempDir {
        tempfile::tempdir_in(&self.0).unwrap()
    }
}

/// The median of some figures.
fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
