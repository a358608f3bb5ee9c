//! Many watchers in a process of their own.

use std::cell::{Cell, RefCell};
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Notify, Semaphore};
use tokio::task::LocalSet;
use tokio::time::timeout;

use crate::inbox::{Inbox, Said};
use crate::load::{now, pieces};
use crate::process::Pid;
use crate::tally::{Report, Tally};

pub(crate) const CROWD: &str = "crowd";

/// How many connect at a time.
const AT_THE_DOOR: usize = 64;
const READ_BYTES: usize = 256 * 1024;
/// How long nothing may come before the watchers give up.
const PATIENCE: Duration = Duration::from_secs(10);
/// An empty pong, masked with zeros.
const PONG: &[u8] = &[0x8a, 0x80, 0, 0, 0, 0];

/// Watchers in a process of their own, all caught up.
pub(crate) struct Crowd {
    child: Child,
    lines: BufReader<ChildStdout>,
    pub(crate) pid: Pid,
}

impl Crowd {
    /// `count` of them, who each wait for so many pieces at `path`.
    pub(crate) fn gather(address: SocketAddr, path: &str, count: usize, pieces: u64) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([CROWD, &address.to_string(), path])
            .args([count.to_string(), pieces.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        let pid = Pid(child.id());
        let mut crowd = Self { child, lines, pid };
        assert_eq!(crowd.line(), "caught up");
        crowd
    }

    /// What they were told, once that is all, or nothing more has come for a while.
    pub(crate) fn report(&mut self) -> Report {
        Report::parse(&self.line())
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Is the crowd.
pub(crate) fn be_crowd(arguments: &[String]) {
    let [address, path, count, pieces] = arguments else {
        panic!("not a crowd: {arguments:?}");
    };
    let place = Rc::new(Place {
        address: address.parse().unwrap(),
        path: path.clone(),
        pieces: pieces.parse().unwrap(),
        door: Semaphore::new(AT_THE_DOOR),
        buffer: RefCell::new(vec![0; READ_BYTES]),
        tally: RefCell::new(Tally::new()),
        caught_up: Cell::new(0),
        done: Cell::new(0),
        moved: Notify::new(),
    });
    let tokio = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    LocalSet::new().block_on(&tokio, attend(place, count.parse().unwrap()));
}

async fn attend(place: Rc<Place>, count: usize) {
    for _ in 0..count {
        tokio::task::spawn_local(watch(Rc::clone(&place)));
    }
    while place.caught_up.get() < count {
        place.moved.notified().await;
    }
    say("caught up");
    if place.pieces == 0 {
        std::future::pending::<()>().await;
    }
    let mut frames = 0;
    while place.done.get() < count {
        let moved = timeout(PATIENCE, place.moved.notified()).await;
        let so_far = place.tally.borrow().frames;
        if moved.is_err() && so_far == frames {
            break;
        }
        frames = so_far;
    }
    say(place.tally.borrow().report());
    std::future::pending::<()>().await;
}

fn say(what: impl std::fmt::Display) {
    println!("{what}");
    std::io::stdout().flush().unwrap();
}

/// Where they watch, and what they have in common.
struct Place {
    address: SocketAddr,
    path: String,
    /// How many pieces each waits for.
    pieces: u64,
    door: Semaphore,
    buffer: RefCell<Vec<u8>>,
    tally: RefCell<Tally>,
    caught_up: Cell<usize>,
    done: Cell<usize>,
    moved: Notify,
}

/// Watches until all pieces were told, coming back with the last cursor when it fell out.
async fn watch(place: Rc<Place>) {
    let mut watcher = Watcher::default();
    while !watcher.is_done || place.pieces == 0 {
        let entry = place.door.acquire().await.unwrap();
        let mut stream = connect(&place, watcher.cursor.as_deref()).await;
        let mut inbox = Inbox::default();
        let mut entry = Some(entry);
        let mut is_open = true;
        while is_open {
            stream.readable().await.unwrap();
            let mut pongs = 0;
            {
                let mut buffer = place.buffer.borrow_mut();
                let count = match stream.try_read(&mut buffer) {
                    Ok(0) => break,
                    Ok(count) => count,
                    Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => continue,
                    Err(_) => break,
                };
                let now = now();
                inbox.take(&buffer[..count], |said| match said {
                    Said::Text(text) => watcher.hear(&place, text, now),
                    Said::Ping => pongs += 1,
                    Said::Close => is_open = false,
                });
            }
            if watcher.is_caught_up {
                entry.take();
            }
            for _ in 0..pongs {
                stream.write_all(PONG).await.unwrap();
            }
        }
        if !watcher.is_done {
            place.tally.borrow_mut().came_back += 1;
        }
    }
}

async fn connect(place: &Place, cursor: Option<&str>) -> TcpStream {
    let mut stream = TcpStream::connect(place.address).await.unwrap();
    let query = cursor.map_or(String::new(), |cursor| format!("?cursor={cursor}"));
    let request = format!(
        "GET {}{query} HTTP/1.1\r\nhost: {}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
        place.path, place.address
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101"), "not watched: {head:?}");
    stream
}

#[derive(Default)]
struct Watcher {
    /// The piece that comes next.
    next: u64,
    cursor: Option<String>,
    is_caught_up: bool,
    is_done: bool,
}

impl Watcher {
    fn hear(&mut self, place: &Place, text: &[u8], now: u64) {
        let mut tally = place.tally.borrow_mut();
        tally.frames += 1;
        for (number, said_at) in pieces(text) {
            // An entry says again what its deltas said.
            if number >= self.next {
                tally.holes += number - self.next;
                self.next = number + 1;
                tally.heard(said_at, now);
            }
        }
        if text.starts_with(br#"{"kind":"event""#) {
            self.cursor = cursor_of(text).or(self.cursor.take());
        }
        if !self.is_caught_up && contains(text, br#""caught_up""#) {
            self.is_caught_up = true;
            place.caught_up.set(place.caught_up.get() + 1);
            place.moved.notify_one();
        }
        if !self.is_done && self.next == place.pieces && place.pieces > 0 {
            self.is_done = true;
            place.done.set(place.done.get() + 1);
            place.moved.notify_one();
        }
    }
}

fn cursor_of(text: &[u8]) -> Option<String> {
    const NAME: &[u8] = br#""cursor":""#;
    let at = text.windows(NAME.len()).position(|it| it == NAME)?;
    let rest = &text[at + NAME.len()..];
    let end = rest.iter().position(|byte| *byte == b'"')?;
    Some(String::from_utf8(rest[..end].to_vec()).unwrap())
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|it| it == part)
}
