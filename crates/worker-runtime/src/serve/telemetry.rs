//! Where logs and metrics go. Only binaries call this: both are one per process.

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusBuilder;
use tracing::Subscriber;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, Registry};
use yoi_config::{ConfigError, Environment, Place};
use yoi_http_kit::health::MetricsText;

use super::args::{LogArgs, LogFormat};

/// How often the recorder tidies what it holds.
const UPKEEP: Duration = Duration::from_secs(5);

/// Sends the log of this process to standard error. `YOI_LOG` filters it (`info` unless set), but
/// of what others' crates say no more than warnings is let through: their details show addresses
/// and headers. The flag or `YOI_LOG_FORMAT` choose its form. Colours only a terminal, and not with
/// `NO_COLOR`.
///
/// # Errors
/// When a variable is not understood. A second call changes nothing.
pub fn install_log(args: LogArgs, environment: &Environment) -> Result<(), ConfigError> {
    let wrong = |name: &str, rule: &str| ConfigError::new(Place::Variable(name.to_owned()), rule);
    let filter = EnvFilter::try_new(environment.get("YOI_LOG").unwrap_or("info"))
        .map_err(|_| wrong("YOI_LOG", "must be a filter, like info or yoi=debug,warn"))?;
    let format = match (args.log_format, environment.get("YOI_LOG_FORMAT")) {
        (Some(format), _) => format,
        (None, None) => LogFormat::Text,
        (None, Some("text")) => LogFormat::Text,
        (None, Some("json")) => LogFormat::Json,
        (None, Some(_)) => return Err(wrong("YOI_LOG_FORMAT", "must be one of: text, json")),
    };
    let colours = io::stderr().is_terminal() && environment.get("NO_COLOR").is_none();
    // Whoever was first has the log.
    let _ = tracing::subscriber::set_global_default(log(filter, format, io::stderr, colours));
    Ok(())
}

/// What goes where, and in which form.
fn log<W>(
    filter: EnvFilter,
    format: LogFormat,
    writer: W,
    colours: bool,
) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = fmt::layer().with_writer(writer).with_ansi(colours);
    let lines = match format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    Registry::default().with(cap()).with(filter).with(lines)
}

/// Only our own crates say more than warnings, whatever the filter asks for: what others say of
/// connections and requests has addresses and headers in it, and with them credentials.
fn cap() -> Targets {
    Targets::new()
        .with_default(LevelFilter::WARN)
        // By their beginnings, so this is every crate of ours and every target in it.
        .with_targets(["yoi", "worker_runtime"].map(|ours| (ours, LevelFilter::TRACE)))
}

/// Records the metrics of this process, and gives what renders them as Prometheus text. Needs to
/// run inside tokio.
#[must_use]
pub fn install_metrics() -> MetricsText {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    // Whoever was first has the metrics.
    let _ = metrics::set_global_recorder(recorder);
    let upkeep = handle.clone();
    tokio::spawn(async move {
        let mut tick = tokio::time::interval(UPKEEP);
        loop {
            tick.tick().await;
            upkeep.run_upkeep();
        }
    });
    Arc::new(move || handle.render())
}

#[cfg(test)]
mod tests;
