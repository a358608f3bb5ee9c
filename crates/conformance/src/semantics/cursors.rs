//! Coming back to an observation.

use yoi_protocol::{Code, Cursor, Event, EventFrame, StreamEnd};

use crate::bench::Bench;
use crate::catalogue::checks;
use crate::unmet::{Verdict, broken, ending, holds, refused, same};
use crate::watch::events;

checks! { Bench, "resume";
    shows_all_that_an_input_led_to: "from the cursor of an input on, all events that it led to come, and nothing else";
    repeats_to_the_letter: "an event that comes again has the same number, cursor and content";
    goes_on_live: "after what was missed and caught_up, an observation that was resumed goes on live";
    from_every_cursor: "every event's cursor leads to exactly the events after it";
    refuses_forged_cursors: "what is no cursor of this Runtime is cursor_invalid, or cursor_unknown";
    refuses_cursors_of_others: "the cursor of another Worker is cursor_unknown";
    of_a_stopped_worker_is_complete: "from the last cursor of a stopped Worker nothing follows but the end";
}

async fn shows_all_that_an_input_led_to(bench: &Bench) -> Verdict {
    let worker_id = bench.idle().await?;
    let accepted = bench.run(&worker_id).await?;
    let mut watch = bench.resume(&worker_id, &accepted.cursor).await?;
    let (missed, _) = watch.past().await?;
    let finished = missed.iter().any(
        |one| matches!(&one.event, Event::RunFinished { run_id, .. } if *run_id == accepted.run_id),
    );
    holds(finished, || "the run's end did not come".to_owned())?;
    let before = missed.iter().any(|one| {
        matches!(
            one.event,
            Event::InputAccepted { .. } | Event::Snapshot { .. }
        )
    });
    holds(!before, || {
        "something came that the cursor stands for already".to_owned()
    })
}

async fn repeats_to_the_letter(bench: &Bench) -> Verdict {
    let worker_id = bench.idle().await?;
    let (mut watch, snapshot) = bench.watch(&worker_id).await?;
    watch.past().await?;
    bench.input(&worker_id).await?;
    let live = watch.until_finished().await?;
    bench.until_idle(&worker_id).await?;
    for _ in 0..2 {
        let resumed = bench.resume(&worker_id, &snapshot.cursor).await?;
        let (again, _) = resumed.after(snapshot.seq).past().await?;
        for (first, second) in events(&live).into_iter().zip(&again) {
            same("an event that comes again", second, first)?;
        }
        holds(again.len() >= events(&live).len(), || {
            format!("only {} events came again", again.len())
        })?;
    }
    Ok(())
}

async fn goes_on_live(bench: &Bench) -> Verdict {
    let worker_id = bench.idle().await?;
    let (_, snapshot) = bench.watch(&worker_id).await?;
    bench.run(&worker_id).await?;
    let resumed = bench.resume(&worker_id, &snapshot.cursor).await?;
    let mut resumed = resumed.after(snapshot.seq);
    let (missed, _) = resumed.past().await?;
    holds(!missed.is_empty(), || {
        "nothing came of what was missed".to_owned()
    })?;
    let accepted = bench.input(&worker_id).await?;
    let live = resumed.until_finished().await?;
    let first = events(&live).first().map(|one| one.cursor.clone());
    same(
        "the cursor of the first live event",
        first,
        Some(accepted.cursor),
    )
}

async fn from_every_cursor(bench: &Bench) -> Verdict {
    let worker_id = bench.idle().await?;
    let (_, snapshot) = bench.watch(&worker_id).await?;
    bench.run(&worker_id).await?;
    let mut watch = bench.resume(&worker_id, &snapshot.cursor).await?;
    let (all, _) = watch.past().await?;
    for (index, one) in all.iter().enumerate() {
        let mut later = bench.resume(&worker_id, &one.cursor).await?;
        let (rest, _) = later.past().await?;
        let expected: &[EventFrame] = &all[index + 1..];
        same("the events after a cursor", rest.as_slice(), expected)?;
    }
    Ok(())
}

async fn refuses_forged_cursors(bench: &Bench) -> Verdict {
    bench.needs_events()?;
    let worker_id = bench.idle().await?;
    let accepted = bench.run(&worker_id).await?;
    let genuine = accepted.cursor.as_str();
    let cut = &genuine[..genuine.len() - 1];
    for forged in ["x", "AAAA", "forged", cut] {
        let Ok(cursor) = Cursor::parse(forged) else {
            continue;
        };
        let answer = bench.subject().events(&worker_id, Some(&cursor)).await;
        match answer {
            // Who keeps no seal cannot tell a forged one from one of another.
            Err(failure) if failure.code == Code::CursorUnknown => {}
            answer => drop(refused("a forged cursor", answer, Code::CursorInvalid)?),
        }
    }
    Ok(())
}

async fn refuses_cursors_of_others(bench: &Bench) -> Verdict {
    bench.needs_events()?;
    let (one, other) = (bench.idle().await?, bench.idle().await?);
    let accepted = bench.run(&one).await?;
    bench.run(&other).await?;
    let answer = bench.subject().events(&other, Some(&accepted.cursor)).await;
    refused("the cursor of another worker", answer, Code::CursorUnknown)?;
    Ok(())
}

async fn of_a_stopped_worker_is_complete(bench: &Bench) -> Verdict {
    let worker_id = bench.idle().await?;
    let (_, snapshot) = bench.watch(&worker_id).await?;
    bench.stop(&worker_id).await?;
    let mut watch = bench.resume(&worker_id, &snapshot.cursor).await?;
    let (told, _) = watch.past().await?;
    let Some(last) = told.last() else {
        return Err(broken("nothing told of the stop"));
    };
    let is_last = matches!(last.event, Event::WorkerStopped { .. });
    holds(is_last, || {
        "the last event is not worker_stopped".to_owned()
    })?;
    let mut after = bench.resume(&worker_id, &last.cursor).await?;
    let end = after.end().await?;
    holds(end == StreamEnd::Complete, || {
        format!(
            "after the last cursor the observation ends with {}",
            ending(&end)
        )
    })
}
