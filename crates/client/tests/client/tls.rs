//! HTTPS and wss, with a certificate of the test's own.

use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use yoi_client::{Call, ClientBuilder, HttpTransport};

use crate::peer::{NAMED, answer};
use crate::support::{info, link, row, worker_id, workers};

/// A TLS server called `localhost` that answers every request with what a Runtime says of itself.
async fn server() -> (String, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    return;
                };
                let mut request = [0_u8; 4096];
                let read = stream.read(&mut request).await.unwrap();
                let is_upgrade = String::from_utf8_lossy(&request[..read]).contains("websocket");
                let body = serde_json::to_string(&info()).unwrap();
                let text = if is_upgrade {
                    answer("404 Not Found", NAMED, r#"{"code":"worker_not_found"}"#)
                } else {
                    answer("200 OK", NAMED, &body)
                };
                stream.write_all(&text).await.unwrap();
                let _ = stream.shutdown().await;
            });
        }
    });
    (format!("https://localhost:{port}"), certificate)
}

fn trusting(url: &str, roots: RootCertStore) -> ClientBuilder {
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let transport = HttpTransport::with_tls(Duration::from_secs(30), tls).unwrap();
    link(url).transport(Arc::new(transport))
}

#[tokio::test]
async fn a_server_that_is_trusted() {
    let (url, certificate) = server().await;
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let client = trusting(&url, roots.clone()).build().unwrap();
    let answer = client.runtime_info(&Call::default()).await.unwrap();
    assert_eq!(answer.value, info());
    let error = workers(trusting(&url, roots))
        .events(&worker_id(), None, &Call::default())
        .await
        .unwrap_err();
    assert_eq!(row(&error.failure), "worker_not_found none", "wss");
}

#[tokio::test]
async fn a_server_that_is_not_trusted() {
    let (url, _) = server().await;
    for builder in [trusting(&url, RootCertStore::empty()), link(&url)] {
        let error = workers(builder)
            .stop(&worker_id(), &Default::default(), &Call::default())
            .await
            .unwrap_err();
        assert_eq!(row(&error.failure), "runtime_unreachable tls none");
    }
}

#[tokio::test]
async fn a_certificate_of_another_name() {
    let (url, certificate) = server().await;
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let url = url.replace("localhost", "127.0.0.1");
    let client = trusting(&url, roots).build().unwrap();
    let error = client.runtime_info(&Call::default()).await.unwrap_err();
    assert_eq!(row(&error.failure), "runtime_unreachable tls none");
}
