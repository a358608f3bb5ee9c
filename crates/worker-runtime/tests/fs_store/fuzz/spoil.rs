//! What is done to the files.

use std::collections::BTreeMap;
use std::ops::Range;

use crc32fast::Hasher;
use fastrand::Rng;
use serde_json::Value;

/// Files, and what was done to them.
#[derive(Debug)]
pub(super) struct Spoiled {
    pub(super) files: BTreeMap<String, Vec<u8>>,
    pub(super) said: Vec<String>,
    /// The bytes that all signatures of segments begin with.
    store: Vec<u8>,
}

impl Spoiled {
    pub(super) fn new(files: BTreeMap<String, Vec<u8>>) -> Self {
        let line = &files["STORE"][..];
        let json = line.splitn(5, |byte| *byte == b' ').last().unwrap();
        let identity: Value = serde_json::from_slice(json).unwrap();
        let store = identity["store"].as_str().unwrap().replace('-', "");
        let digits = |at| u8::from_str_radix(&store[at..at + 2], 16).unwrap();
        Self {
            store: (0..store.len()).step_by(2).map(digits).collect(),
            files,
            said: Vec::new(),
        }
    }

    /// A file of the store by chance; the lock is none.
    fn file(&self, rng: &mut Rng) -> String {
        let names: Vec<_> = self.files.keys().filter(|name| *name != "LOCK").collect();
        match names.is_empty() {
            true => "STORE".to_owned(),
            false => names[rng.usize(..names.len())].clone(),
        }
    }

    fn bytes(&mut self, file: &str) -> &mut Vec<u8> {
        self.files.entry(file.to_owned()).or_default()
    }

    /// The lines of a file that are text.
    fn lines(&self, file: &str) -> Vec<Range<usize>> {
        let bytes = self.files.get(file).map_or(&[][..], Vec::as_slice);
        let mut at = 0;
        let lines = bytes.split_inclusive(|byte| *byte == b'\n').map(|line| {
            at += line.len();
            at - line.len()..at
        });
        lines.filter(|line| bytes[line.start] != 0).collect()
    }

    fn salt(&self, file: &str) -> u32 {
        let number = match file {
            "HEAD" => 0,
            name => {
                let name = name.trim_end_matches(".log");
                let last = name.rsplit('-').next().unwrap_or_default();
                last.parse::<u32>().unwrap_or_default()
            }
        };
        let mut hasher = Hasher::new();
        hasher.update(&self.store);
        hasher.update(&number.to_le_bytes());
        hasher.finalize()
    }
}

/// One accident.
pub(super) fn spoil(rng: &mut Rng, spoiled: &mut Spoiled) {
    let file = spoiled.file(rng);
    let lines = spoiled.lines(&file);
    let kind = rng.u8(..12);
    let other = spoiled.file(rng);
    let line = |rng: &mut Rng| match lines.is_empty() {
        true => 0..0,
        false => lines[rng.usize(..lines.len())].clone(),
    };
    let (one, two) = (line(rng), line(rng));
    let size = spoiled.bytes(&file).len();
    let at = rng.usize(..=size);
    let end = (at + rng.usize(..64)).min(size);
    spoiled.said.push(format!(
        "{kind}: {file} {at}..{end} {one:?} {two:?} {other}"
    ));
    let bytes = spoiled.bytes(&file);
    match kind {
        0 if at < size => bytes[at] ^= 1 << rng.u8(..8),
        1 => bytes[at..end].fill(0),
        2 => bytes[at..end].fill_with(|| rng.u8(..)),
        3 => drop(bytes.drain(at..end)),
        4 => drop(bytes.splice(at..at, std::iter::repeat_with(|| rng.u8(..)).take(end - at))),
        5 => bytes.truncate(at),
        6 => drop(bytes.drain(one)),
        7 => {
            let copy = bytes[one].to_vec();
            bytes.splice(two.start..two.start, copy);
        }
        8 => {
            let copy = bytes[one].to_vec();
            let place = two.start..(two.start + copy.len()).min(size);
            bytes.splice(place, copy);
        }
        9 => drop(spoiled.files.remove(&file)),
        10 => {
            let bytes = spoiled.bytes(&file).clone();
            spoiled.files.insert(other, bytes);
        }
        _ => {
            let bytes = spoiled.bytes(&file)[one].to_vec();
            let into = spoiled.bytes(&other);
            let place = rng.usize(..=into.len());
            into.splice(place..place, bytes);
        }
    }
}

/// One line that says something else, signed like any other.
pub(super) fn forge(rng: &mut Rng, spoiled: &mut Spoiled) {
    let file = spoiled.file(rng);
    if file == "STORE" {
        // Under another name it would be another Runtime's, and that is that.
        return;
    }
    let lines = spoiled.lines(&file);
    let Some(place) = lines.get(rng.usize(..lines.len().max(1))).cloned() else {
        return;
    };
    let is_header = place.start == 0;
    let salt = if is_header && file.ends_with(".log") {
        0
    } else {
        spoiled.salt(&file)
    };
    let bytes = spoiled.bytes(&file);
    let mut text = bytes[place.clone()].to_vec();
    let Some(said) = text.get(9..).filter(|said| said.len() > 4) else {
        return;
    };
    let mut said = said[..said.len() - 1].to_vec();
    for _ in 0..=rng.u8(..2) {
        let at = rng.usize(..said.len());
        match rng.u8(..5) {
            // A number becomes another, or a great one.
            0 | 1 => {
                let digits = said.iter().skip(at).position(u8::is_ascii_digit);
                let start = at + digits.unwrap_or(0);
                let length = said[start..]
                    .iter()
                    .take_while(|byte| byte.is_ascii_digit());
                let end = start + length.count();
                let number = match rng.u8(..5) {
                    0 => u64::MAX,
                    1 => u64::from(u32::MAX),
                    2 => 0,
                    _ => rng.u64(..) >> rng.u8(24..64),
                };
                if start < end {
                    said.splice(start..end, number.to_string().into_bytes());
                }
            }
            2 => said[at] = b"0129aZ{}[]\",:-RDIALSVMH"[rng.usize(..23)],
            3 => drop(said.drain(at..(at + rng.usize(..16)).min(said.len()))),
            _ => {
                let copy = said[at..(at + rng.usize(..32)).min(said.len())].to_vec();
                said.splice(at..at, copy);
            }
        }
        if said.is_empty() {
            return;
        }
    }
    said.retain(|byte| *byte != b'\n');
    let mut hasher = Hasher::new_with_initial(salt);
    hasher.update(&said);
    text = format!("{:08x} ", hasher.finalize()).into_bytes();
    text.extend(&said);
    text.push(b'\n');
    let new = String::from_utf8_lossy(&text).into_owned();
    spoiled.said.push(format!("{file} {place:?}: {new}"));
    let bytes = spoiled.bytes(&file);
    if file == "HEAD" {
        // Places of their own.
        let room = (bytes.len() - place.start).min(text.len());
        bytes[place.start..place.start + room].copy_from_slice(&text[..room]);
    } else {
        bytes.splice(place, text);
    }
}
