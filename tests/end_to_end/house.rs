//! What these tests run against: two processes, a Backend with the embedded Runtime `local`, and
//! the remote Runtime `far`.

use std::path::Path;

use serde_json::json;
use yoi_testkit::Process;

use crate::api::Api;

/// Both processes, and the files they were started from.
pub(crate) struct House {
    pub(crate) backend: Process,
    pub(crate) far: Process,
    _files: tempfile::TempDir,
}

impl House {
    /// Starts both, with `profiles` in the configuration of each.
    pub(crate) async fn start(profiles: &str) -> Self {
        let files = tempfile::tempdir().expect("a temporary folder");
        let config = write(files.path(), "far.toml", profiles);
        let arguments = ["--config", &config, "--id", "far", "--bind", "127.0.0.1:0"];
        let far = Process::start(Process::built("worker-runtime").args(arguments));
        assert_can_be_observed(&far).await;
        let config = format!(
            "{profiles}\n[server]\nbind = \"127.0.0.1:0\"\n\n\
             [[runtimes]]\nid = \"local\"\nkind = \"embedded\"\n\n\
             [[runtimes]]\nid = \"far\"\nkind = \"remote\"\nbase_url = \"{}\"\n",
            far.url()
        );
        let config = write(files.path(), "yoi.toml", &config);
        let backend = Process::start(Process::built("yoi").args(["serve", "--config", &config]));
        Self {
            backend,
            far,
            _files: files,
        }
    }
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("a file in a temporary folder");
    path.to_str()
        .expect("temporary folders are UTF-8")
        .to_owned()
}

/// Cargo keeps one binary per name, built with the features that were asked for last.
async fn assert_can_be_observed(far: &Process) {
    let (_, runtime) = Api::new(far.url()).get("/v1/runtime").await;
    let capabilities = runtime["capabilities"].as_array().expect("capabilities");
    assert!(
        capabilities.contains(&json!("events.ws")),
        "worker-runtime was last built without its feature ws-server: run the tests with \
         `cargo test --workspace`, which builds it with all that a Backend needs"
    );
}
