use std::io;

use yoi_protocol::{Api, Operation, WorkerId};

use super::{Head, operation, read};

#[tokio::test]
async fn a_head_and_what_came_with_it() {
    let mut bytes: &[u8] =
        b"POST /v1/workers/w-1/input?x=1 HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbodyNEXT";
    let (mut head, rest) = read(&mut bytes).await.unwrap().unwrap();
    assert_eq!(
        (head.method(), head.target()),
        ("POST", "/v1/workers/w-1/input?x=1")
    );
    assert_eq!(head.operation(), Some(Operation::SendInput));
    assert_eq!(head.content_length(), Some(4));
    assert_eq!(rest, b"bodyNEXT");
    head.set("host", "other");
    head.remove("content-length");
    assert_eq!(
        String::from_utf8(head.to_bytes()).unwrap(),
        "POST /v1/workers/w-1/input?x=1 HTTP/1.1\r\nhost: other\r\n\r\n"
    );
}

#[tokio::test]
async fn what_is_no_head() {
    assert!(read(&mut &b""[..]).await.unwrap().is_none(), "nobody spoke");
    for (bytes, kind) in [
        (&b"GET / HT"[..], io::ErrorKind::UnexpectedEof),
        (&b"\x16\x03\x01\x02\x00"[..], io::ErrorKind::InvalidData),
        (
            &b"GET / HTTP/1.1\r\nno colon\r\n\r\n"[..],
            io::ErrorKind::InvalidData,
        ),
    ] {
        assert_eq!(
            read(&mut &*bytes).await.unwrap_err().kind(),
            kind,
            "{bytes:?}"
        );
    }
    let endless = vec![b'a'; 100_000];
    assert!(read(&mut &*endless).await.is_err(), "it was collected");
}

#[test]
fn the_operations_of_the_runtime_api() {
    let worker = WorkerId::parse("w-1").unwrap();
    let api = Api::Runtime;
    for &asked in Operation::ALL {
        let (method, path) = match asked {
            Operation::ListWorkers => ("GET", format!("{}?limit=1", api.workers())),
            Operation::GetWorker => ("GET", api.worker(&worker)),
            Operation::CreateWorker => ("POST", api.workers()),
            Operation::SendInput => ("POST", api.input(&worker)),
            Operation::Cancel => ("POST", api.cancel(&worker)),
            Operation::Stop => ("POST", api.stop(&worker)),
            Operation::Transcript => ("GET", api.transcript(&worker)),
            Operation::Events => ("GET", api.events_ws(&worker)),
        };
        assert_eq!(operation(method, &path), Some(asked), "{method} {path}");
    }
    assert_eq!(
        operation("GET", &api.events(&worker)),
        Some(Operation::Events)
    );
    assert_eq!(operation("GET", &api.runtime()), None);
    assert_eq!(operation("DELETE", &api.worker(&worker)), None);
}

#[test]
fn an_answer() {
    let mut head = Head::answer(503, "Busy");
    head.set("retry-after", "0");
    assert_eq!(head.status(), Some(503));
    assert_eq!(
        head.to_bytes(),
        b"HTTP/1.1 503 Busy\r\nretry-after: 0\r\n\r\n"
    );
}
