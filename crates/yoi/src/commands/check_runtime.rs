//! `yoi check-runtime`.

use std::io;
use std::time::Duration;

use yoi_config::{Environment, SecretRef, SecretSource};
use yoi_conformance::{
    Check, Checked, Outcome, Report, Target, check, check_telling, semantics, wire,
};

use crate::args::CheckRuntimeArgs;
use crate::error::CliError;
use crate::show::Screen;

/// Who is to be checked. Nothing is sent yet.
pub(crate) fn target(
    args: &CheckRuntimeArgs,
    environment: &Environment,
) -> Result<Target, CliError> {
    let mut target = Target::new(&args.url)
        .patience(Duration::from_secs(args.patience))
        .timeout(Duration::from_secs(args.timeout));
    if args.allow_plain_http {
        target = target.allow_plain_http();
    }
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

/// Checks a Runtime and shows what came of it: for people each check as it is made.
pub(crate) async fn check_runtime(
    target: &Target,
    screen: &mut Screen<'_>,
) -> Result<(), CliError> {
    let report = if screen.json {
        let report = check(target).await?;
        screen.answer(&report, |_| String::new())?;
        report
    } else {
        let mut table = Table::new(screen);
        let report = check_telling(target, &mut |checked| table.row(checked)).await?;
        table.end(&report)?;
        report
    };
    match report.failed {
        0 if report.cut_short => Err(CliError::CutShort {
            made: report.passed,
            of: report.checks.len(),
        }),
        0 => Ok(()),
        failed => Err(CliError::Broken {
            failed,
            of: report.checks.len(),
        }),
    }
}

/// A table that is shown row by row: its columns are as wide as the longest name of a check.
struct Table<'a, 'b> {
    screen: &'a mut Screen<'b>,
    width: usize,
    shown: Option<io::Result<()>>,
}

impl<'a, 'b> Table<'a, 'b> {
    fn new(screen: &'a mut Screen<'b>) -> Self {
        let names = semantics::checks().map(Check::name);
        let names = names.chain(wire::checks().map(Check::name));
        Self {
            screen,
            width: names.map(str::len).max().unwrap_or_default(),
            shown: None,
        }
    }

    /// Shows a row. Once the output takes nothing any more, nothing else is shown.
    fn row(&mut self, checked: &Checked) {
        let shown = match self.shown.take() {
            None => self.line(["CHECK", "OUTCOME", "MS", "WHAT"].map(str::to_owned)),
            Some(shown) => shown,
        };
        self.shown = Some(shown.and_then(|()| self.line(row(checked))));
    }

    fn line(&mut self, [name, outcome, took, what]: [String; 4]) -> io::Result<()> {
        let width = self.width;
        let line = format!("{name:width$}  {outcome:7}  {took:6}  {what}");
        self.screen.line(&line)
    }

    /// What it all came to.
    fn end(self, report: &Report) -> io::Result<()> {
        self.shown.unwrap_or(Ok(()))?;
        let Report {
            passed,
            failed,
            skipped,
            left_behind,
            ..
        } = report;
        self.screen.line("")?;
        for worker_id in left_behind {
            self.screen
                .line(&format!("{worker_id} could not be stopped"))?;
        }
        self.screen.line(&format!(
            "{passed} passed, {failed} failed, {skipped} skipped"
        ))
    }
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
