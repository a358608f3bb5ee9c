use bytes::Bytes;

use super::{Feed, Read};
use crate::runtime::ObservedFrame;

fn frame(text: &str) -> ObservedFrame {
    ObservedFrame {
        text: Bytes::copy_from_slice(text.as_bytes()),
        cursor: None,
    }
}

fn read(text: &str) -> Read {
    Read::Frame {
        frame: frame(text),
        is_last: false,
    }
}

#[test]
fn readers_go_at_their_own_pace_and_share_the_bytes() {
    let mut feed = Feed::new(1000);
    let (mut one, mut two) = (feed.join(), feed.join());
    let pushed = frame("a");
    feed.push(pushed.clone(), false);
    feed.push(frame("b"), false);
    let Read::Frame { frame: first, .. } = feed.read(&mut one) else {
        panic!("the frame is there");
    };
    assert_eq!(
        first.text.as_ptr(),
        pushed.text.as_ptr(),
        "one buffer for all"
    );
    assert_eq!(feed.read(&mut one), read("b"));
    assert_eq!(feed.read(&mut one), Read::Nothing);
    assert_eq!(feed.read(&mut two), read("a"));
    assert_eq!(feed.read(&mut two), read("b"));
}

#[test]
fn what_everyone_has_read_is_not_kept() {
    let mut feed = Feed::new(1000);
    let (mut one, mut two) = (feed.join(), feed.join());
    feed.push(frame("abc"), false);
    assert_eq!(feed.read(&mut one), read("abc"));
    assert_eq!(feed.bytes, 3, "one has still to read it");
    assert_eq!(feed.read(&mut two), read("abc"));
    assert_eq!(feed.bytes, 0);

    feed.push(frame("def"), false);
    feed.read(&mut one);
    assert!(!feed.leave(two), "another reader is left");
    assert_eq!(feed.bytes, 0, "who left need not read it");
    assert!(feed.leave(one));
}

#[test]
fn a_slow_reader_loses_its_place_and_nobody_else_does() {
    let mut feed = Feed::new(4);
    let (mut slow, mut quick) = (feed.join(), feed.join());
    for text in ["ab", "cd", "ef"] {
        feed.push(frame(text), false);
        assert_eq!(feed.read(&mut quick), read(text));
    }
    assert!(feed.bytes <= 4, "bounded: {} bytes", feed.bytes);
    assert_eq!(feed.read(&mut slow), Read::Lost);
    assert!(!feed.leave(slow));
    feed.push(frame("gh"), false);
    assert_eq!(feed.read(&mut quick), read("gh"));
    assert_eq!(feed.bytes, 0);
}

#[test]
fn a_frame_larger_than_the_bound_still_comes() {
    let mut feed = Feed::new(2);
    let mut reader = feed.join();
    feed.push(frame("larger than that"), false);
    assert_eq!(feed.read(&mut reader), read("larger than that"));
}

#[test]
fn who_joins_sees_only_what_comes_after() {
    let mut feed = Feed::new(100);
    let mut early = feed.join();
    feed.push(frame("a"), false);
    let mut late = feed.join();
    feed.push(frame("b"), true);
    assert_eq!(feed.read(&mut early), read("a"));
    let last = Read::Frame {
        frame: frame("b"),
        is_last: true,
    };
    assert_eq!(feed.read(&mut late), last);
    assert_eq!(feed.read(&mut early), last);
    assert_eq!(feed.bytes, 0);
}
