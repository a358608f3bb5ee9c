use proptest::prelude::*;

use super::*;

const SALT: u32 = 7;

/// A segment: its bytes, where each line ends, and the first record of each go.
#[derive(Debug, Clone)]
struct Written {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    gos: Vec<usize>,
}

impl Written {
    /// Gos of so many records each, of so many bytes.
    fn new(gos: &[Vec<usize>]) -> Self {
        let mut written = Self {
            bytes: Vec::new(),
            ends: Vec::new(),
            gos: Vec::new(),
        };
        written.line(NO_SALT, Kind::Header, 1, 0, 20);
        for go in gos {
            let first = written.ends.len();
            written.gos.push(first - 1);
            for (index, size) in (0..).zip(go) {
                let lsn = (first + index as usize) as u64;
                written.line(SALT, Kind::Record, lsn, index, *size);
            }
        }
        written
    }

    fn line(&mut self, salt: u32, kind: Kind, lsn: u64, index: u32, size: usize) {
        let json = vec![b'x'; size];
        let line = Line {
            kind,
            lsn,
            index,
            json: &json,
        };
        line.write(salt, &mut self.bytes);
        self.ends.push(self.bytes.len());
    }

    fn records(&self) -> usize {
        self.ends.len() - 1
    }

    /// Holds a scan to find the first records and nothing else; gives how many.
    fn finds(&self, found: &Scan<'_>) -> usize {
        let count = found.lines.len();
        for (number, (offset, size, line)) in found.lines.iter().enumerate() {
            let end = self.ends[number + 1];
            assert_eq!(*offset as usize, self.ends[number]);
            assert_eq!((offset + u64::from(*size)) as usize, end);
            assert_eq!(line.lsn as usize, number + 1);
        }
        count
    }
}

fn gos() -> impl Strategy<Value = Vec<Vec<usize>>> {
    let go = prop::collection::vec(0_usize..700, 1..5);
    prop::collection::vec(go, 1..5)
}

proptest! {
    #[test]
    fn what_nobody_wrote_is_no_record(bytes: Vec<u8>, text in "[0-9a-f]{8} [A-Z] [0-9]{1,3} [0-9] x*\n?") {
        for bytes in [bytes, text.into_bytes()] {
            let found = scan(SALT, &bytes, 1, 0);
            prop_assert!(found.lines.is_empty());
            prop_assert!(found.end as usize <= bytes.len());
        }
    }

    /// Of the last go the disk has any sectors: what was acknowledged before it is found, and the
    /// rest was cut.
    #[test]
    fn a_go_that_did_not_last_is_no_damage(gos in gos(), lost: Vec<bool>, behind in 0_u64..20) {
        let written = Written::new(&gos);
        let known = *written.gos.last().unwrap();
        let mut bytes = written.bytes.clone();
        let start = written.ends[known];
        for (sector, is_lost) in (start / 512..).zip(&lost) {
            let sector = (sector * 512).max(start)..((sector + 1) * 512).min(bytes.len());
            if *is_lost && !sector.is_empty() {
                bytes[sector].fill(0);
            }
        }
        bytes.extend([0; 700]);
        let mark = (known as u64).saturating_sub(behind);
        let found = scan(SALT, &bytes, 1, mark);
        let count = written.finds(&found);
        prop_assert!(count >= known);
        let is_whole = bytes[..written.bytes.len()] == written.bytes;
        let is_clean = found.tail == Tail::Clean;
        prop_assert!(is_clean || matches!(found.tail, Tail::Torn { .. }), "{:?}", found.tail);
        prop_assert!(!is_whole || (is_clean && count == written.records()));
    }

    /// Whatever happened to it: what is found was written, and when something is missing that is
    /// known to have been acknowledged, it is damage, or the end of it.
    #[test]
    fn damage_is_no_end(
        gos in gos(),
        harm in prop::collection::vec((any::<prop::sample::Index>(), 1_usize..600, any::<u8>()), 1..4),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let written = Written::new(&gos);
        let mut bytes = written.bytes.clone();
        for (at, size, byte) in harm {
            let at = at.index(bytes.len());
            let end = (at + size).min(bytes.len());
            bytes[at..end].fill(byte);
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let mark = written.records() as u64;
        let found = scan(SALT, &bytes, 1, mark);
        let count = written.finds(&found);
        let is_at_its_end = bytes.len() == found.end as usize
            || bytes[found.end as usize..].iter().all(|byte| *byte == 0);
        let is_missing = count < written.records();
        let is_damage = matches!(found.tail, Tail::Damaged { .. });
        prop_assert!(!is_missing || is_damage || is_at_its_end, "{:?}", found.tail);
        prop_assert!(is_missing || !is_damage);
    }
}
