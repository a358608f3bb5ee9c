//! What a report must not repeat: the address and the credential of who was checked.

use std::fmt;

/// The most of a text that is repeated, in characters.
const MOST: usize = 400;

/// Takes an address and a credential out of texts that a stranger wrote.
#[derive(Clone, Default)]
pub(crate) struct Scrub {
    /// What is taken out, in lower case, and what stands in its place.
    secrets: Vec<(String, &'static str)>,
}

impl Scrub {
    pub(crate) fn new(url: &str, token: Option<&str>) -> Self {
        let mut secrets = Vec::new();
        for form in token.map(forms).unwrap_or_default() {
            secrets.push((form.to_ascii_lowercase(), "<token>"));
        }
        let url = url.trim_end_matches('/');
        secrets.push((url.to_ascii_lowercase(), "<url>"));
        if let Some(authority) = url
            .parse()
            .ok()
            .and_then(|uri: http::Uri| uri.into_parts().authority)
        {
            secrets.push((authority.as_str().to_ascii_lowercase(), "<address>"));
            // A bare word may be the Runtime's id as well, and is no address by itself.
            let host = authority.host().to_ascii_lowercase();
            if host.contains(['.', ':']) {
                secrets.push((host, "<host>"));
            }
        }
        secrets.retain(|(secret, _)| !secret.is_empty());
        Self { secrets }
    }

    /// A text without them, whole. What stands for one is not searched for the next.
    pub(crate) fn text(&self, text: &str) -> String {
        // Lower case of ASCII keeps every byte in its place.
        let lower = text.to_ascii_lowercase();
        let mut scrubbed = String::with_capacity(text.len());
        let mut at = 0;
        while let Some(rest) = lower.get(at..).filter(|rest| !rest.is_empty()) {
            let found = self
                .secrets
                .iter()
                .find(|(secret, _)| rest.starts_with(secret.as_str()));
            if let Some((secret, shown)) = found {
                scrubbed.push_str(shown);
                at += secret.len();
            } else {
                let step = rest.chars().next().map_or(1, char::len_utf8);
                scrubbed.push_str(text.get(at..at + step).unwrap_or_default());
                at += step;
            }
        }
        scrubbed
    }

    /// The beginning of a text without them, on one line. Cut last: half a secret is one, too.
    pub(crate) fn line(&self, text: &str) -> String {
        let text = self.text(text);
        let flat: String = text
            .chars()
            .take(MOST)
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        if text.chars().nth(MOST).is_some() {
            format!("{flat}…")
        } else {
            flat
        }
    }
}

/// A token as it may stand in a text: bare, in JSON, and in JSON that is quoted again.
pub(crate) fn forms(token: &str) -> Vec<String> {
    let escape = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    let once = escape(token);
    let mut forms = vec![escape(&once), once, token.to_owned()];
    forms.dedup();
    forms
}

impl fmt::Debug for Scrub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scrub(..)")
    }
}

#[cfg(test)]
mod tests;
