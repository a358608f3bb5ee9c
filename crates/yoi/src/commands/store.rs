//! `yoi export` and `yoi repair`: the files of a store, without a server.

use std::io::ErrorKind;

use worker_runtime::serve;
use worker_runtime::store::fs::repair::{self, Kept, Repair};
use worker_runtime::store::fs::{Flaw, OpenError, export as export_log};

use crate::args::{ExportArgs, RepairArgs};
use crate::error::CliError;
use crate::show::{Screen, table};
use crate::world::World;

/// Writes the log as lines of JSON.
pub(crate) fn export(args: &ExportArgs, world: &mut World) -> Result<(), CliError> {
    serve::allow_open_files();
    let exported = export_log(&args.folder, args.worker.as_ref(), &mut world.output);
    let exported = exported.map_err(|error| match error {
        // Whoever closed our output has seen enough.
        OpenError::Unusable {
            kind: kind @ ErrorKind::BrokenPipe,
            ..
        } => CliError::Io(kind.into()),
        error => CliError::Store(error),
    })?;
    for flaw in &exported.flaws {
        Screen::new(world, true).note(&line(flaw))?;
    }
    if let (Some(worker_id), 0, true) = (&args.worker, exported.events, exported.flaws.is_empty()) {
        return Err(CliError::Usage(format!(
            "the store has no event of a worker {worker_id}"
        )));
    }
    match exported.flaws.len() {
        0 => Ok(()),
        count => Err(CliError::Damaged(format!(
            "{} events are written; {count} places of the store are not as they were written \
             (`yoi repair` shows what can be kept)",
            exported.events
        ))),
    }
}

/// Shows what a repair would keep, or repairs.
pub(crate) fn repair(args: &RepairArgs, world: &mut World) -> Result<(), CliError> {
    serve::allow_open_files();
    let found = repair::inspect(&args.folder)?;
    let done = if args.apply && !found.is_whole() {
        repair::repair(&args.folder)?
    } else {
        found
    };
    let mut screen = Screen::new(world, args.json);
    screen.answer(&done, told)?;
    if done.is_whole() || args.apply {
        return Ok(());
    }
    Err(CliError::Damaged(
        "nothing is changed; run it again with --apply to keep what is shown".to_owned(),
    ))
}

fn told(done: &Repair) -> String {
    if done.is_whole() {
        return format!(
            "the store of runtime {} is whole: {} workers, {} answers",
            done.runtime,
            done.workers.len(),
            done.answers
        );
    }
    let mut text = format!("the store of runtime {}:\n", done.runtime);
    for flaw in &done.flaws {
        text.push_str(&format!("  {}\n", line(flaw)));
    }
    let workers = done.workers.iter().map(row).collect();
    text.push_str(&table(["WORKER", "KEPT", "NOT KEPT", "NOTE"], workers));
    text.push_str(&format!(
        "\n{} answers to commands; a command that is sent again under the key of one that is lost is \
         done again\nwhoever is named only in what is missing is not in this list",
        done.answers
    ));
    if let Some(before) = &done.before {
        text.push_str(&format!(
            "\nrepaired; the store as it was before is in {before}, beside it"
        ));
    }
    text
}

fn line(flaw: &Flaw) -> String {
    let Flaw {
        file,
        offset,
        bytes,
        what,
    } = flaw;
    match bytes {
        0 => format!("{file}, at offset {offset}: {what}"),
        bytes => format!("{file}, {bytes} bytes from offset {offset} on: {what}"),
    }
}

fn row(worker: &Kept) -> [String; 4] {
    let span = |(first, last): (u64, u64)| match first.cmp(&last) {
        std::cmp::Ordering::Less => format!("{first} to {last}"),
        std::cmp::Ordering::Equal => first.to_string(),
        std::cmp::Ordering::Greater => "no events".to_owned(),
    };
    let lost: Vec<String> = worker.lost.iter().copied().map(span).collect();
    let note = match worker.last_seq {
        0 => "is gone".to_owned(),
        last_seq if worker.is_another_life => {
            format!("goes on from {last_seq} anew: no cursor of before leads anywhere")
        }
        _ => String::new(),
    };
    [
        worker.worker_id.to_string(),
        span((worker.first_seq, worker.last_seq)),
        if lost.is_empty() {
            "-".to_owned()
        } else {
            lost.join(", ")
        },
        note,
    ]
}
