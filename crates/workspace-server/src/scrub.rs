//! Texts of a Runtime, made fit to leave the Backend.

use std::fmt::{self, Write};
use std::sync::Arc;

use sha2::{Digest, Sha256};
use yoi_protocol::{
    BootId, Details, Diagnostic, Failure, FieldError, LastRun, RunError, RuntimeInfo, Worker,
    WorkerSummary,
};

/// The longest text of a Runtime that is passed on, in characters.
pub(crate) const MAX_TEXT_CHARS: usize = 16_384;
/// The longest name (of a limit, an operation, a field) that is passed on, in characters.
const MAX_NAME_CHARS: usize = 256;
/// The most fields at fault that are passed on.
const MAX_FIELD_ERRORS: usize = 64;
/// Shorter secrets than this would turn every text into stars.
const SHORTEST_NEEDLE: usize = 3;
const MASK: &str = "[hidden]";

/// The texts that must not be seen at this moment; asked anew each time, as credentials change.
pub(crate) type Secrets = dyn Fn() -> Vec<String> + Send + Sync;

/// Bounds a Runtime's texts, takes control characters out and hides that Runtime's address,
/// credential and store path.
#[derive(Clone)]
pub(crate) struct Scrubber {
    fixed: Arc<[String]>,
    changing: Arc<Secrets>,
}

impl Scrubber {
    /// Hides `fixed` and whatever `changing` says when a text is cleaned.
    pub(crate) fn new(fixed: Vec<String>, changing: Arc<Secrets>) -> Self {
        Self {
            fixed: longest_first(fixed).into(),
            changing,
        }
    }

    /// Hides `fixed` alone.
    pub(crate) fn of(fixed: Vec<String>) -> Self {
        Self::new(fixed, Arc::new(Vec::new))
    }

    /// Hides `more`, too.
    pub(crate) fn and(&self, more: Vec<String>) -> Self {
        let all = self.fixed.iter().cloned().chain(more).collect();
        Self::new(all, Arc::clone(&self.changing))
    }

    /// The needles of an address: the URL, its authority, its host.
    pub(crate) fn address(base_url: &str) -> Vec<String> {
        let trimmed = base_url.trim_end_matches('/');
        let rest = trimmed.split_once("://").map_or(trimmed, |(_, rest)| rest);
        let (authority, path) = rest
            .find(['/', '?', '#'])
            .map_or((rest, ""), |at| rest.split_at(at));
        let host_port = authority
            .rsplit_once('@')
            .map_or(authority, |(_, host)| host);
        let host = match host_port.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
            _ => host_port,
        };
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        [
            base_url, trimmed, rest, authority, host_port, host, bare, path,
        ]
        .into_iter()
        .filter(|needle| *needle != "/")
        .map(str::to_owned)
        .collect()
    }

    /// `text` as it may leave; `None` when it may leave as it is.
    fn changed(&self, text: &str, max_chars: usize) -> Option<String> {
        let mut clean: String = text
            .chars()
            .filter_map(|c| match c {
                '\n' | '\r' | '\t' => Some(' '),
                c if c.is_control() => None,
                c => Some(c),
            })
            .collect();
        // Hidden before it is cut: half of a credential is still half of a credential.
        for needle in self.fixed.iter().chain(&longest_first((self.changing)())) {
            clean = hide(clean, needle);
        }
        if let Some((end, _)) = clean.char_indices().nth(max_chars) {
            clean.truncate(end);
        }
        (clean != text).then_some(clean)
    }

    fn clean(&self, text: &mut String, max_chars: usize) -> bool {
        match self.changed(text, max_chars) {
            Some(clean) => {
                *text = clean;
                true
            }
            None => false,
        }
    }

    /// Cleans a free text in place; whether anything was changed.
    pub(crate) fn text(&self, text: &mut String) -> bool {
        self.clean(text, MAX_TEXT_CHARS)
    }

    fn name(&self, text: &mut String) -> bool {
        self.clean(text, MAX_NAME_CHARS)
    }

    /// Cleans the texts of a failure that a Runtime told.
    pub(crate) fn failure(&self, mut failure: Failure) -> Failure {
        let Details {
            errors,
            limit,
            operation,
            active_run_id: _,
            limit_bytes: _,
            reason: _,
            phase: _,
            retry_after_ms: _,
        } = &mut *failure.details;
        errors.truncate(MAX_FIELD_ERRORS);
        for FieldError { pointer, message } in errors {
            self.name(pointer);
            self.text(message);
        }
        for name in [limit, operation].into_iter().flatten() {
            self.name(name);
        }
        failure
    }

    /// Cleans what a Runtime says of a Worker; what the Worker says is never touched.
    pub(crate) fn worker(&self, worker: &mut Worker) {
        self.text(&mut worker.display_ref);
        self.text(&mut worker.profile);
        if let Some(name) = &mut worker.display_name {
            self.text(name);
        }
        if let Some(LastRun {
            error: Some(RunError { code, message }),
            ..
        }) = &mut worker.last_run
        {
            self.text(code);
            self.text(message);
        }
    }

    /// The same for the short form.
    pub(crate) fn summary(&self, worker: &mut WorkerSummary) {
        self.text(&mut worker.display_ref);
        self.text(&mut worker.profile);
        if let Some(name) = &mut worker.display_name {
            self.text(name);
        }
    }

    /// Cleans whatever texts a value of JSON holds; whether anything was changed.
    pub(crate) fn value(&self, value: &mut serde_json::Value) -> bool {
        use serde_json::Value;
        match value {
            Value::String(text) => self.text(text),
            // No short-circuit: each is cleaned.
            Value::Array(items) => items
                .iter_mut()
                .fold(false, |changed, item| self.value(item) | changed),
            Value::Object(fields) => fields
                .values_mut()
                .fold(false, |changed, item| self.value(item) | changed),
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        }
    }

    /// Cleans what a Runtime says of itself.
    pub(crate) fn info(&self, mut info: RuntimeInfo) -> RuntimeInfo {
        // A name for programs that says where it is names nothing that anyone knows.
        info.capabilities
            .retain(|one| self.changed(one.as_str(), MAX_NAME_CHARS).is_none());
        if self
            .changed(info.boot_id.as_str(), MAX_NAME_CHARS)
            .is_some()
        {
            info.boot_id = hidden_boot(&info.boot_id);
        }
        self.name(&mut info.api_version);
        self.name(&mut info.version);
        self.name(&mut info.store);
        if let Some(name) = &mut info.display_name {
            self.name(name);
        }
        for profile in &mut info.profiles {
            self.name(&mut profile.name);
            self.name(&mut profile.executor);
            if let Some(description) = &mut profile.description {
                self.text(description);
            }
        }
        for diagnostic in &mut info.diagnostics {
            self.diagnostic(diagnostic);
        }
        info
    }

    fn diagnostic(&self, diagnostic: &mut Diagnostic) {
        self.name(&mut diagnostic.code);
        self.text(&mut diagnostic.message);
    }
}

impl fmt::Debug for Scrubber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scrubber").finish_non_exhaustive()
    }
}

/// Another text for a start of a Runtime: as opaque, and another one for another start.
fn hidden_boot(boot_id: &BootId) -> BootId {
    let hash = Sha256::digest(boot_id.as_str());
    let mut text = "hidden-".to_owned();
    for byte in &hash[..8] {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    BootId::parse(&text).expect("23 visible characters are a boot id")
}

fn longest_first(mut needles: Vec<String>) -> Vec<String> {
    needles.retain(|needle| needle.len() >= SHORTEST_NEEDLE);
    needles.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    needles.dedup();
    needles
}

/// Replaces every `needle`, in whatever ASCII case.
fn hide(text: String, needle: &str) -> String {
    let (low, wanted) = (text.to_ascii_lowercase(), needle.to_ascii_lowercase());
    if !low.contains(&wanted) {
        return text;
    }
    let mut shown = String::with_capacity(text.len());
    let mut from = 0;
    // ASCII lower-casing keeps every byte offset.
    for (at, found) in low.match_indices(&wanted) {
        shown.push_str(&text[from..at]);
        shown.push_str(MASK);
        from = at + found.len();
    }
    shown.push_str(&text[from..]);
    shown
}

#[cfg(test)]
mod tests;
