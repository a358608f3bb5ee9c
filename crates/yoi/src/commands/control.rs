//! `yoi cancel` and `yoi stop`.

use yoi_client::Client;
use yoi_protocol::{CancelRequest, StopRequest};

use super::once::Once;
use super::{one_worker, workers_of};
use crate::args::CommandArgs;
use crate::error::CliError;
use crate::show::Screen;

/// Ends the active run, and tells which it was.
pub(crate) async fn cancel(
    client: &Client,
    args: CommandArgs,
    screen: &mut Screen<'_>,
) -> Result<(), CliError> {
    let target = &args.target;
    let (workers, body) = (workers_of(client, target), CancelRequest::default());
    let done = Once::new(args.key)
        .send(async |call| workers.cancel(&target.worker_id, &body, &call).await)
        .await?;
    screen.answer(&done, |done| match &done.cancelled_run_id {
        Some(run) => format!("cancelled {run} of {target}"),
        None => format!("nothing to cancel: {target} has no active run"),
    })?;
    Ok(())
}

/// Stops a Worker and shows it.
pub(crate) async fn stop(
    client: &Client,
    args: CommandArgs,
    screen: &mut Screen<'_>,
) -> Result<(), CliError> {
    let target = &args.target;
    let (workers, body) = (workers_of(client, target), StopRequest::default());
    let done = Once::new(args.key)
        .send(async |call| workers.stop(&target.worker_id, &body, &call).await)
        .await?;
    screen.answer(&done, |done| one_worker(&done.worker))?;
    Ok(())
}
