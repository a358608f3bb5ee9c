//! What README shows, held to what runs.

/// The lines of a text as far as they mean something: README shows code without the space round it.
fn lines(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).collect()
}

/// Each example of README, by the line at which it begins.
fn examples(readme: &str) -> Vec<(usize, Vec<&str>)> {
    let mut examples = Vec::new();
    let mut shown: Option<(usize, Vec<&str>)> = None;
    for (number, line) in (1..).zip(lines(readme)) {
        match (&mut shown, line) {
            (None, "```rust") => shown = Some((number + 1, Vec::new())),
            (Some(_), "```") => examples.extend(shown.take()),
            (Some((_, code)), line) => code.push(line),
            (None, _) => {}
        }
    }
    assert!(shown.is_none(), "an example of README has no end");
    examples
}

#[test]
fn every_example_of_readme_runs() {
    let runs = [include_str!("first.rs"), include_str!("main.rs")].map(lines);
    let examples = examples(include_str!("../../README.md"));
    assert!(examples.len() > 10, "README has lost its examples");
    for (number, example) in examples {
        let stands = |file: &Vec<&str>| file.windows(example.len()).any(|part| part == example);
        assert!(
            runs.iter().any(stands),
            "README.md:{number} shows what does not stand in tests/readme:\n{}",
            example.join("\n")
        );
    }
}
