use super::{Message, Messages, Opcode, announce, write, write_in_pieces};

fn text(payload: impl Into<Vec<u8>>) -> Message {
    Message {
        opcode: Opcode::Text,
        payload: payload.into(),
    }
}

async fn read(bytes: Vec<u8>) -> Vec<Message> {
    let mut messages = Messages::after(Vec::new());
    let mut stream = &bytes[..];
    let mut seen = Vec::new();
    while let Some(message) = messages.next(&mut stream).await.unwrap() {
        seen.push(message);
    }
    seen
}

#[tokio::test]
async fn messages_of_every_length() {
    for length in [0, 1, 125, 126, 65_535, 65_536, 200_000] {
        let payload = vec![b'x'; length];
        assert_eq!(read(write(Opcode::Text, &payload)).await, [text(payload)]);
    }
}

#[tokio::test]
async fn fragments_are_one_message_and_what_stands_between_is_another() {
    let mut bytes = write_in_pieces(Opcode::Text, b"abc");
    let ping = write(Opcode::Ping, b"!");
    bytes.splice(3..3, ping);
    let pinged = Message {
        opcode: Opcode::Ping,
        payload: b"!".to_vec(),
    };
    assert_eq!(read(bytes).await, [pinged, text("abc")]);
}

#[tokio::test]
async fn a_message_that_came_with_the_head() {
    let bytes = write(Opcode::Text, b"first");
    let mut messages = Messages::after(bytes[..3].to_vec());
    let first = messages.next(&mut &bytes[3..]).await.unwrap().unwrap();
    assert_eq!(first, text("first"));
    assert_eq!(first.to_bytes(), bytes);
}

#[tokio::test]
async fn what_no_server_says() {
    for bytes in [
        vec![0xFF; 4],
        vec![0x81, 0x80, 0, 0, 0, 0],
        announce(Opcode::Text, 1 << 40),
    ] {
        let mut messages = Messages::after(bytes);
        assert!(messages.next(&mut &b""[..]).await.is_err());
    }
}
