use super::{BytesMut, parse};

fn parsed(bytes: &[u8]) -> Option<(u8, bool, Vec<u8>)> {
    parse(&mut BytesMut::from(bytes)).unwrap()
}

#[test]
fn frames_of_each_length_are_taken_whole() {
    assert_eq!(parsed(b"\x81\x02hi"), Some((1, true, b"hi".to_vec())));
    assert_eq!(parsed(b"\x01\x02hi"), Some((1, false, b"hi".to_vec())));
    let long = [b"\x82\x7e\x01\x00".as_slice(), &[7; 256]].concat();
    assert_eq!(parsed(&long), Some((2, true, vec![7; 256])));
    let longer = [b"\x82\x7f\0\0\0\0\0\x01\0\0".as_slice(), &[7; 65536]].concat();
    assert_eq!(parsed(&longer), Some((2, true, vec![7; 65536])));
    for cut in [0, 1, 2, 3, 100, long.len() - 1] {
        assert_eq!(parsed(&long[..cut]), None, "cut at {cut}");
    }
}

#[test]
fn what_follows_a_frame_is_left() {
    let mut unread = BytesMut::from(b"\x81\x01a\x81\x01b".as_slice());
    assert_eq!(parse(&mut unread).unwrap().unwrap().2, b"a");
    assert_eq!(&unread[..], b"\x81\x01b");
}

#[test]
fn what_no_server_may_send_is_refused() {
    for bytes in [
        b"\x81\x82\0\0\0\0hi".as_slice(),
        b"\xc1\x02hi",
        b"\x82\x7f\xff\0\0\0\0\0\0\0",
    ] {
        parse(&mut BytesMut::from(bytes)).unwrap_err();
    }
}
