//! Commands whose answers are lost on the way: done once, and honest about it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use crate::backend::{Outcome, yoi};

const PATIENCE: Duration = Duration::from_secs(20);

const STOPPED: &str = r#"{"worker":{"runtime_id":"local","worker_id":"w-1",
    "display_ref":"w-1@local","status":"stopped","profile":"echo",
    "created_at":"2026-01-01T00:00:00.000Z","updated_at":"2026-01-01T00:00:00.000Z",
    "transcript_length":0}}"#;

/// What a Backend that a test plays does with a request.
enum Then {
    /// Hangs up without an answer.
    HangUp,
    /// Answers with a status and a body.
    Answer(u16, &'static str),
}

/// A Backend that the test plays: it tells the key of each request, and does what `then` says of
/// the key.
fn played(
    then: impl Fn(usize, Option<&str>) -> Then + Send + 'static,
) -> (String, Receiver<Option<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    let (keys, seen) = channel();
    std::thread::spawn(move || {
        for (count, stream) in listener.incoming().enumerate() {
            let mut stream = stream.expect("a connection");
            let key = key_of(&stream);
            let then = then(count, key.as_deref());
            if keys.send(key).is_err() {
                return;
            }
            let Then::Answer(status, body) = then else {
                continue;
            };
            let kind = if status < 300 { "json" } else { "problem+json" };
            // Whoever has gone by now is not waited for.
            let _ = write!(
                stream,
                "HTTP/1.1 {status} X\r\ncontent-type: application/{kind}\r\n\
                 content-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    (url, seen)
}

/// Reads a request whole, and gives its key.
fn key_of(stream: &TcpStream) -> Option<String> {
    stream.set_read_timeout(Some(PATIENCE)).expect("set");
    let mut request = BufReader::new(stream);
    let (mut key, mut length) = (None, 0);
    loop {
        let mut line = String::new();
        request.read_line(&mut line).expect("a line");
        let line = line.trim_end();
        match line.split_once(": ") {
            Some(("idempotency-key", value)) => key = Some(value.to_owned()),
            Some(("content-length", value)) => length = value.parse().expect("a length"),
            Some(_) => {}
            None if line.is_empty() => break,
            None => {}
        }
    }
    request.read_exact(&mut vec![0; length]).expect("a body");
    key
}

fn stop(url: &str, more: &[&str]) -> Outcome {
    let folder = tempfile::tempdir().expect("a folder");
    let args = [&["stop", "local/w-1", "--backend", url], more].concat();
    Outcome::of(yoi(folder.path(), &args).output().expect("it ran"))
}

#[test]
fn a_command_whose_answer_was_lost_is_sent_again_under_the_same_key() {
    let (url, keys) = played(|count, _key| match count {
        0 => Then::HangUp,
        _ => Then::Answer(200, STOPPED),
    });
    assert!(stop(&url, &[]).shown(0).contains("stopped"));
    let sent: Vec<_> = keys.try_iter().collect();
    assert_eq!(sent.len(), 2, "{sent:?}");
    assert!(sent[0].is_some() && sent[0] == sent[1], "{sent:?}");
    // Another command is another one.
    assert!(stop(&url, &[]).shown(0).contains("stopped"));
    assert_ne!(keys.try_iter().next(), Some(sent[0].clone()));
}

#[test]
fn what_a_command_may_have_done_is_told_with_the_key_that_makes_it_safe() {
    for named in [&[][..], &["--key", "my-key"]] {
        let (url, keys) = played(|_, _| Then::HangUp);
        let told = stop(&url, named).told(5);
        let key = keys.try_iter().next().flatten().expect("it was sent");
        if !named.is_empty() {
            assert_eq!(key, "my-key");
        }
        assert_eq!(
            told,
            format!(
                "yoi: runtime_unreachable: the Backend closed the connection before it had \
                 answered\neffect: unknown: it may be done; safe to run again with --key {key}\n"
            )
        );
    }
}

const NO_KEYS: &str = r#"{"type":"urn:yoi:problem:operation_unsupported","title":"t","status":501,
    "code":"operation_unsupported","detail":"no keys here","origin":"runtime","effect":"none",
    "operation":"idempotency"}"#;

#[test]
fn a_runtime_that_takes_no_keys_is_asked_without_unless_the_user_named_one() {
    let play = || {
        played(|_, key| match key {
            Some(_) => Then::Answer(501, NO_KEYS),
            None => Then::Answer(200, STOPPED),
        })
    };
    let (url, _keys) = play();
    assert!(stop(&url, &[]).shown(0).contains("stopped"));
    let (url, _keys) = play();
    assert_eq!(
        stop(&url, &["--key", "my-key"]).told(1),
        "yoi: operation_unsupported: no keys here\neffect: none: nothing was changed\n"
    );
}
