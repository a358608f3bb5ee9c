//! `yoi cancel` and `yoi stop`.

use yoi_client::{Call, Client};
use yoi_protocol::{CancelRequest, StopRequest};

use super::{one_worker, workers_of};
use crate::error::CliError;
use crate::show::Screen;
use crate::target::Target;

/// Ends the active run, and tells which it was.
pub(crate) async fn cancel(
    client: &Client,
    target: &Target,
    screen: &mut Screen<'_>,
) -> Result<(), CliError> {
    let workers = workers_of(client, target);
    let answer = workers
        .cancel(
            &target.worker_id,
            &CancelRequest::default(),
            &Call::default(),
        )
        .await?;
    screen.answer(&answer.value, |done| match &done.cancelled_run_id {
        Some(run) => format!("cancelled {run} of {target}"),
        None => format!("nothing to cancel: {target} has no active run"),
    })?;
    Ok(())
}

/// Stops a Worker and shows it.
pub(crate) async fn stop(
    client: &Client,
    target: &Target,
    screen: &mut Screen<'_>,
) -> Result<(), CliError> {
    let workers = workers_of(client, target);
    let answer = workers
        .stop(&target.worker_id, &StopRequest::default(), &Call::default())
        .await?;
    screen.answer(&answer.value, |done| one_worker(&done.worker))?;
    Ok(())
}
