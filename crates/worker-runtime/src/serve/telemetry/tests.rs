use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use tracing_subscriber::EnvFilter;

use super::{LogFormat, log};

/// Keeps what is written.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A target stands at its callsite, so there is one for each.
macro_rules! for_each_of_theirs {
    ($text:literal) => {
        for_each_of_theirs!($text; "hyper::proto::h1::io" "hyper_util::client::legacy::connect"
            "h2::codec" "reqwest::connect" "rustls::client::hs" "tungstenite::handshake::client"
            "tokio_tungstenite" "tower::buffer" "axum::serve" "mio::poll" "other")
    };
    ($text:literal; $($target:literal)*) => {
        $(
            tracing::trace!(target: $target, $text);
            tracing::debug!(target: $target, $text);
            tracing::info!(target: $target, $text);
        )*
    };
}

/// What is logged with this `YOI_LOG` of what everybody says.
fn logged(filter: &str, format: LogFormat) -> String {
    let sink = Sink::default();
    let writer = sink.clone();
    let filter = EnvFilter::try_new(filter).unwrap();
    let log = log(filter, format, move || writer.clone(), false);
    tracing::subscriber::with_default(log, || {
        tracing::debug!(target: "worker_runtime::runtime", "ours one");
        tracing::debug!(target: "yoi_http_kit::server", "ours two");
        tracing::info!(target: "yoi::audit", "ours three");
        for_each_of_theirs!("connects to 10.0.0.1 with authorization: Bearer hunter2");
        tracing::warn!(target: "hyper_util::client", "their warning");
    });
    let bytes = sink.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn the_details_of_others_are_not_logged_whatever_is_asked_for() {
    let filters = ["debug", "trace", "hyper=trace,h2=debug,other=info,debug"];
    for (filter, format) in filters
        .iter()
        .zip([LogFormat::Text, LogFormat::Json, LogFormat::Text])
    {
        let text = logged(filter, format);
        for ours in ["ours one", "ours two", "ours three", "their warning"] {
            assert!(text.contains(ours), "{filter} hides {ours}: {text}");
        }
        assert_eq!(text.lines().count(), 4, "{filter} shows more: {text}");
        assert!(!text.contains("hunter2"), "{filter}: {text}");
    }
}

#[test]
fn the_filter_still_says_less() {
    let text = logged("info,hyper_util=error", LogFormat::Text);
    assert!(text.contains("ours three"), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
    let text = logged("yoi_http_kit=debug,warn", LogFormat::Text);
    assert!(text.contains("ours two"), "{text}");
    assert_eq!(text.lines().count(), 2, "{text}");
}
