//! What is the same in every run of a command.

/// A text with its times and run ids replaced, after checking that they are what they seem.
pub(crate) fn shape(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(line).collect();
    lines.join("\n")
}

/// Columns are as wide as what stood in them, so runs of spaces become two.
fn line(line: &str) -> String {
    let words: Vec<String> = line
        .split("  ")
        .map(str::trim)
        .filter(|column| !column.is_empty())
        .map(|column| {
            let words: Vec<&str> = column.split(' ').map(word).collect();
            words.join(" ")
        })
        .collect();
    words.join("  ")
}

fn word(word: &str) -> &str {
    if word.parse::<yoi_protocol::Timestamp>().is_ok() {
        "<time>"
    } else if word.len() == "run-".len() + 36 && word.starts_with("run-") {
        "<run>"
    } else {
        word
    }
}
