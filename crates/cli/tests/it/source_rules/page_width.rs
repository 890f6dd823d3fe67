//! The lines of pages fit an editor next to another one, and the difference between two versions is short.

use super::texts::texts;

/// Characters of a line of prose.
const WIDTH: usize = 120;

/// Pages that a program writes.
const GENERATED: [&str; 5] = [
    "docs/benchmarks.md",
    "docs/book/src/cli.md",
    "docs/book/src/errors.md",
    "docs/book/src/methods.md",
    "docs/book/src/metrics.md",
];

#[test]
fn lines_of_pages_are_short() {
    let mut long = Vec::new();
    let pages = texts().into_iter().filter(|file| file.path.ends_with(".md") && !GENERATED.contains(&&*file.path));
    for page in pages {
        let mut is_code = false;
        for (number, line) in page.text.lines().enumerate() {
            is_code ^= line.trim_start().starts_with("```");
            // A row of a table and a quoted message are one line each, and a link cannot be broken.
            let may_be_long = is_code || line.starts_with(['|', '>']) || !line.trim().contains(' ');
            let width = line.chars().count();
            if width > WIDTH && !may_be_long {
                long.push(format!("{}:{}: {width} characters", page.path, number + 1));
            }
        }
    }
    assert!(long.is_empty(), "longer than {WIDTH}:\n{}", long.join("\n"));
}
