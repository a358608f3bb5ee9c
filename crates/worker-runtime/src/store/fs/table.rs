//! Where records and answers are in a segment, as its own index has it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use yoi_protocol::Timestamp;

use super::line::is_number;

/// Where one record is in its segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ref {
    pub(super) offset: u32,
    /// The bytes of its line, line feed and all.
    pub(super) size: u32,
    /// The `seq` of its first event.
    pub(super) seq: u64,
    /// The number of its first entry, or where it has none, of the next one.
    pub(super) sequence: u64,
}

/// Where one answer is: in the record at that place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AnswerRef {
    pub(super) key: [u8; 32],
    pub(super) at: Timestamp,
    pub(super) offset: u32,
}

const REF_BYTES: usize = 24;
const ANSWER_BYTES: usize = 44;

/// The JSON of a line of references.
pub(super) fn encode_refs(refs: impl IntoIterator<Item = Ref>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for one in refs {
        bytes.extend_from_slice(&one.offset.to_le_bytes());
        bytes.extend_from_slice(&one.size.to_le_bytes());
        bytes.extend_from_slice(&one.seq.to_le_bytes());
        bytes.extend_from_slice(&one.sequence.to_le_bytes());
    }
    text(&bytes)
}

pub(super) fn decode_refs(json: &[u8]) -> Option<Vec<Ref>> {
    let bytes = bytes(json)?;
    let (all, rest) = bytes.as_chunks::<REF_BYTES>();
    let of = |one: &[u8; REF_BYTES]| Ref {
        offset: u32_at(one, 0),
        size: u32_at(one, 4),
        seq: u64_at(one, 8),
        sequence: u64_at(one, 16),
    };
    let refs: Vec<Ref> = all.iter().map(of).collect();
    let is_possible = |one: &Ref| is_number(one.seq) && is_number(one.sequence);
    (rest.is_empty() && refs.iter().all(is_possible)).then_some(refs)
}

/// The JSON of a line of answers.
pub(super) fn encode_answers(answers: &[AnswerRef]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(answers.len() * ANSWER_BYTES);
    for one in answers {
        bytes.extend_from_slice(&one.key);
        bytes.extend_from_slice(&one.at.as_unix_ms().to_le_bytes());
        bytes.extend_from_slice(&one.offset.to_le_bytes());
    }
    text(&bytes)
}

pub(super) fn decode_answers(json: &[u8]) -> Option<Vec<AnswerRef>> {
    let bytes = bytes(json)?;
    let (all, rest) = bytes.as_chunks::<ANSWER_BYTES>();
    let of = |one: &[u8; ANSWER_BYTES]| {
        let mut key = [0; 32];
        key.copy_from_slice(&one[..32]);
        AnswerRef {
            key,
            at: Timestamp::from_unix_ms(u64_at(one, 32).cast_signed()),
            offset: u32_at(one, 40),
        }
    };
    rest.is_empty().then(|| all.iter().map(of).collect())
}

fn text(bytes: &[u8]) -> Vec<u8> {
    format!("\"{}\"", STANDARD_NO_PAD.encode(bytes)).into_bytes()
}

fn bytes(json: &[u8]) -> Option<Vec<u8>> {
    let text = json.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    STANDARD_NO_PAD.decode(text).ok()
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut four = [0; 4];
    four.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(four)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut eight = [0; 8];
    eight.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(eight)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_read_as_they_were_written() {
        let refs: Vec<Ref> = (0..9)
            .map(|n| Ref {
                offset: u32::MAX - n,
                size: n,
                seq: (1 << 53) - u64::from(n),
                sequence: u64::from(n) << 40,
            })
            .collect();
        assert_eq!(decode_refs(&encode_refs(refs.clone())), Some(refs));
        let answers: Vec<AnswerRef> = (0..9)
            .map(|n| AnswerRef {
                key: [n; 32],
                at: Timestamp::from_unix_ms(-5 + i64::from(n)),
                offset: u32::from(n) << 20,
            })
            .collect();
        assert_eq!(decode_answers(&encode_answers(&answers)), Some(answers));
        assert_eq!(decode_refs(b"\"AAAA\""), None);
        assert_eq!(decode_answers(b"\"AAAA\""), None);
        assert_eq!(decode_refs(b"[]"), None);
    }
}
