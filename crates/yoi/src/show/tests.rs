use super::{Screen, harmless, table};
use crate::world::World;
use yoi_config::Environment;

#[test]
fn a_terminal_is_never_steered() {
    assert_eq!(harmless("plain\n\ttext"), "plain\n\ttext");
    assert_eq!(harmless("\u{1b}[2J\r\u{7f}\u{9b}"), "␛[2J␍\u{FFFD}\u{FFFD}");
}

#[test]
fn what_is_no_terminal_gets_the_text_as_it_is() {
    let shown = |is_terminal| {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        let mut world = World {
            environment: Environment::default(),
            input: Box::new(std::io::empty()),
            output: Box::new(writer),
            notes: Box::new(std::io::sink()),
            metrics: std::sync::Arc::new(String::new),
            is_terminal,
        };
        Screen::new(&mut world, false)
            .piece("\u{1b}[0m")
            .expect("written");
        drop(world);
        std::io::read_to_string(reader).expect("read")
    };
    assert_eq!(shown(false), "\u{1b}[0m");
    assert_eq!(shown(true), "␛[0m");
}

#[test]
fn a_note_is_harmless_wherever_it_goes() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let mut world = World {
        environment: Environment::default(),
        input: Box::new(std::io::empty()),
        output: Box::new(std::io::sink()),
        notes: Box::new(writer),
        metrics: std::sync::Arc::new(String::new),
        is_terminal: false,
    };
    Screen::new(&mut world, false)
        .note("\u{1b}[2J")
        .expect("written");
    drop(world);
    assert_eq!(std::io::read_to_string(reader).expect("read"), "␛[2J\n");
}

#[test]
fn a_table_has_a_head_and_a_line_for_each_row() {
    let rows = vec![
        ["a".to_owned(), "1".to_owned()],
        ["bcd".to_owned(), "22".to_owned()],
    ];
    assert_eq!(
        table(["NAME", "COUNT"], rows),
        "NAME  COUNT\na     1\nbcd   22"
    );
}
