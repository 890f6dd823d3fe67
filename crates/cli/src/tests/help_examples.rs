use super::{commands, plain};
use crate::output::columns;

/// The width of a common terminal. clap would break a longer line anywhere, so the command in it could not be copied.
const TERMINAL: usize = 80;

#[test]
fn usage_and_examples_of_each_command_fit_a_terminal() {
    let mut wrong = Vec::new();
    for (name, mut command) in commands() {
        let usage = plain(&command.render_usage().ansi().to_string());
        let examples = command.get_after_help().map(|help| plain(&help.ansi().to_string())).unwrap_or_default();
        let wide = usage.lines().chain(examples.lines()).filter(|line| columns(line) > TERMINAL);
        wrong.extend(wide.map(|line| format!("{name}: wider than {TERMINAL} columns: {line}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_command_in_an_example_continues_only_after_a_backslash() {
    let mut wrong = Vec::new();
    for (name, command) in commands() {
        let examples = command.get_after_help().map(|help| plain(&help.ansi().to_string())).unwrap_or_default();
        let lines: Vec<&str> = examples.lines().collect();
        for (line, next) in lines.iter().zip(lines.iter().skip(1)) {
            if line.ends_with('\\') != next.starts_with("    ") {
                wrong.push(format!("{name}: {line}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
