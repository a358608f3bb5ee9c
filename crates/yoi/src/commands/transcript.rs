//! `yoi transcript`.

use yoi_client::{Call, Client};
use yoi_protocol::{Entry, Role, Transcript, TranscriptQuery, list};

use super::workers_of;
use crate::error::CliError;
use crate::show::{Screen, table};
use crate::target::Target;

/// Shows all that was said and is kept: every page of it.
pub(crate) async fn transcript(
    client: &Client,
    target: &Target,
    screen: &mut Screen<'_>,
) -> Result<(), CliError> {
    let all = read_all(client, target).await?;
    if all.first_sequence > 1 {
        screen.note(&format!(
            "entries before {} are no longer kept",
            all.first_sequence
        ))?;
    }
    screen.answer(&all, |all| {
        let head = ["SEQUENCE", "AT", "ROLE", "CONTENT"];
        table(head, all.entries.iter().map(row).collect())
    })?;
    Ok(())
}

async fn read_all(client: &Client, target: &Target) -> Result<Transcript, CliError> {
    let workers = workers_of(client, target);
    let page = async |after| {
        let query = TranscriptQuery {
            after,
            limit: Some(list::MAX_LIMIT),
        };
        workers
            .transcript(&target.worker_id, &query, &Call::default())
            .await
    };
    let mut all = page(None).await?.value;
    while let Some(after) = all.next_after.take() {
        let next = page(Some(after)).await?.value;
        all.entries.extend(next.entries);
        all.next_after = next.next_after;
    }
    Ok(all)
}

fn row(entry: &Entry) -> [String; 4] {
    [
        entry.sequence.to_string(),
        entry.at.to_string(),
        role_name(entry.role).to_owned(),
        if entry.redacted {
            "(redacted)".to_owned()
        } else {
            entry.content.trim_end_matches('\n').to_owned()
        },
    ]
}

/// A role, as people read it.
pub(super) fn role_name(role: Role) -> &'static str {
    match role {
        Role::User => "user",
        Role::Assistant => "assistant",
        Role::System => "system",
        Role::Tool => "tool",
    }
}
