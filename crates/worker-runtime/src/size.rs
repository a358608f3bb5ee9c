//! How large a value is on the wire.

use std::io;

use serde::Serialize;

/// The bytes of `value` as JSON, counted without keeping them.
pub(crate) fn json_bytes<T: Serialize>(value: &T) -> u64 {
    let mut count = Count(0);
    // Counting cannot fail, and the contract's types always serialise.
    let _ = serde_json::to_writer(&mut count, value);
    count.0
}

struct Count(u64);

impl io::Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
