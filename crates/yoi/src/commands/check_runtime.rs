//! `yoi check-runtime`.

use yoi_config::{Environment, SecretRef, SecretSource};
use yoi_conformance::{Checked, Outcome, Report, Target, check};

use crate::args::CheckRuntimeArgs;
use crate::error::CliError;
use crate::show::{Screen, table};

/// Who is to be checked. Nothing is sent yet.
pub(crate) fn target(
    args: &CheckRuntimeArgs,
    environment: &Environment,
) -> Result<Target, CliError> {
    let mut target = Target::new(&args.url);
    if let Some(name) = &args.token_env {
        let source = SecretSource::open(&SecretRef::Env(name.clone()), environment)
            .map_err(|error| CliError::Usage(format!("--token-env {error}")))?;
        target = target.token(source.current().expose());
    }
    if let Some(profile) = &args.profile {
        target = target.profile(profile);
    }
    if let Some(profile) = &args.long_profile {
        target = target.long_profile(profile);
    }
    Ok(target)
}

/// Checks a Runtime and shows what came of it.
pub(crate) async fn check_runtime(
    target: &Target,
    screen: &mut Screen<'_>,
) -> Result<(), CliError> {
    let report = check(target).await?;
    screen.answer(&report, people)?;
    match report.failed {
        0 => Ok(()),
        failed => Err(CliError::Broken {
            failed,
            of: report.checks.len(),
        }),
    }
}

fn people(report: &Report) -> String {
    let rows = report.checks.iter().map(row).collect();
    let Report {
        passed,
        failed,
        skipped,
        ..
    } = report;
    let checks = table(["CHECK", "OUTCOME", "MS", "WHAT"], rows);
    format!("{checks}\n\n{passed} passed, {failed} failed, {skipped} skipped")
}

fn row(checked: &Checked) -> [String; 4] {
    let (outcome, what) = match &checked.outcome {
        Outcome::Passed => ("passed", checked.promise.clone()),
        Outcome::Failed { detail } => ("FAILED", format!("{}; but {detail}", checked.promise)),
        Outcome::Skipped { reason } => ("skipped", reason.clone()),
    };
    let took = checked.duration_ms.to_string();
    [checked.name.clone(), outcome.to_owned(), took, what]
}
