//! Where logs and metrics go. Only binaries call this: both are one per process.

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusBuilder;
use tracing_subscriber::EnvFilter;
use yoi_config::{ConfigError, Environment, Place};
use yoi_http_kit::health::MetricsText;

use super::args::{LogArgs, LogFormat};

/// How often the recorder tidies what it holds.
const UPKEEP: Duration = Duration::from_secs(5);

/// Sends the log of this process to standard error. `YOI_LOG` filters it (`info` unless set),
/// the flag or `YOI_LOG_FORMAT` choose its form. Colours only a terminal, and not with
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
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(colours);
    // Whoever was first has the log.
    let _ = match format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
    Ok(())
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
