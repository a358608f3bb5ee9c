//! Bytes that come in pieces, as text.

/// Decodes UTF-8 piece by piece: a character that is split between two pieces comes whole with
/// the later one, and what is not UTF-8 becomes U+FFFD, exactly as
/// [`String::from_utf8_lossy`] over all the bytes at once would have it.
#[derive(Debug, Default)]
pub(super) struct Utf8Pieces {
    /// The start of a character whose rest has not come yet; at most 3 bytes between calls.
    unfinished: Vec<u8>,
}

impl Utf8Pieces {
    /// The text that is complete with this piece.
    pub(super) fn push(&mut self, piece: &[u8]) -> String {
        let mut bytes = std::mem::take(&mut self.unfinished);
        bytes.extend_from_slice(piece);
        let mut text = String::with_capacity(bytes.len());
        let mut rest = bytes.as_slice();
        loop {
            match std::str::from_utf8(rest) {
                Ok(valid) => {
                    text.push_str(valid);
                    return text;
                }
                Err(error) => {
                    let (valid, invalid) = rest.split_at(error.valid_up_to());
                    text.push_str(&String::from_utf8_lossy(valid));
                    match error.error_len() {
                        Some(length) => {
                            text.push(char::REPLACEMENT_CHARACTER);
                            rest = &invalid[length..];
                        }
                        None => {
                            self.unfinished = invalid.to_vec();
                            return text;
                        }
                    }
                }
            }
        }
    }

    /// What remains when no more bytes come.
    pub(super) fn finish(&mut self) -> &'static str {
        if std::mem::take(&mut self.unfinished).is_empty() {
            ""
        } else {
            "\u{FFFD}"
        }
    }
}

#[cfg(test)]
mod tests;
