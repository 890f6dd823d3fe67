//! Whether a command printed what its page shows: the same words, whatever the numbers, IDs, paths, and widths.

/// The lines that the page shows and the output does not have. `…` in place of a line stands for some lines, and a line
/// that ends with it goes on.
pub fn missing<'a>(shown: &'a [String], output: &str) -> Vec<&'a str> {
    let printed: Vec<String> = output.split_whitespace().map(word).collect();
    let there = |line: &str| {
        let words: Vec<String> = line.split_whitespace().map(word).collect();
        // A line of the page may be wrapped elsewhere than the output.
        words.is_empty()
            || printed.windows(words.len()).any(|window| window.iter().zip(&words).all(|(a, b)| same(a, b)))
    };
    shown.iter().map(|line| line.trim_end_matches('…')).filter(|line| !there(line)).collect()
}

/// The lines that the command printed and the page does not have; none if the page leaves something out, by `…` in place of a
/// line or at its end.
pub fn unshown<'a>(shown: &[String], printed: &'a [String]) -> Vec<&'a str> {
    let leaves_out = |line: &String| line.trim() == "…" || line.ends_with(" …");
    if shown.iter().any(leaves_out) { Vec::new() } else { missing(printed, &shown.join("\n")) }
}

/// A word without what differs from run to run.
fn word(word: &str) -> String {
    if word.contains('/') {
        return "/".to_owned();
    }
    let stable: String =
        word.chars().filter(|c| c.is_alphabetic() || !c.is_alphanumeric() && !",:;".contains(*c)).collect();
    // The demo's hosts have letters, and chance decides which one gets a client.
    let is_letter = stable.trim_end_matches('.').len() == 1 && stable.starts_with(|c: char| c.is_ascii_uppercase());
    if is_letter || word.chars().any(|c| c.is_ascii_digit()) { "0".to_owned() } else { stable }
}

fn same(printed: &str, shown: &str) -> bool {
    // What ends in … is a shortened ID or hash.
    printed == shown || shown.contains('…') && printed == "0" || printed.contains('…') && shown == "0"
}

#[test]
fn only_numbers_and_paths_may_differ() {
    let shown = ["✓ Found 12 nodes at /a/b, 3 ms".to_owned(), "  …".to_owned(), "· Next".to_owned()];
    assert!(missing(&shown, "· Next: x\n✓ Found 7\n nodes at ws://c 100 ms\n").is_empty());
    assert_eq!(missing(&shown, "✓ Found 7 hosts at /x 3 ms\n· Next"), ["✓ Found 12 nodes at /a/b, 3 ms"]);
}

#[test]
fn what_is_printed_and_not_shown_is_found_and_so_is_another_end() {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let printed = lines("✓ The pool at ws://c responds\n✓ The pool's ID is 03ab\n -> Run `vipnode`");
    assert_eq!(
        unshown(&lines("✓ The pool at ws://b responds\n -> Run `vipnode`"), &printed),
        ["✓ The pool's ID is 03ab"]
    );
    assert!(unshown(&lines("✓ The pool at ws://b responds\n…"), &printed).is_empty(), "the page leaves it out");
    let whole = lines("✓ The pool at ws://b\n  responds\n✓ The pool's ID is 7\n -> Run `vipnode`.");
    assert_eq!(unshown(&whole, &printed), [" -> Run `vipnode`"]);
    assert_eq!(missing(&whole, &printed.join("\n")), [" -> Run `vipnode`."]);
}
