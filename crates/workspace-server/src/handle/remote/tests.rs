use yoi_protocol::RuntimeId;

use super::{Remote, RemoteSettings};

#[tokio::test]
async fn a_host_named_like_its_runtime_is_no_secret_and_its_address_is() {
    let mut settings = RemoteSettings::new("http://gpu-1:7401");
    settings.allow_plain_http = true;
    let remote = Remote::new(RuntimeId::parse("gpu-1").unwrap(), &settings).unwrap();
    let mut text = "w-1@gpu-1 lives at http://gpu-1:7401 or gpu-1:7401".to_owned();
    assert!(remote.scrubber().text(&mut text));
    assert_eq!(text, "w-1@gpu-1 lives at [hidden] or [hidden]");
}
