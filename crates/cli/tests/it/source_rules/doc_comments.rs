//! A doc comment adds something to the name of its item.

use regex_lite::Regex;

use super::sources;

/// Words that add nothing to a name.
const FILLERS: &[&str] = &[
    "the", "a", "an", "of", "to", "in", "on", "at", "for", "by", "with", "as", "from", "into", "and", "or", "it",
    "its", "their", "this", "that", "which", "whose", "what", "why", "is", "are", "was", "were", "be", "has", "have",
];

#[test]
fn doc_comments_say_more_than_the_name() {
    let item = Regex::new(
        r"^\s*(?:pub(?:\([^)]*\))? )?(?:const |async |unsafe )*(?:(?:fn|struct|enum|trait|type|mod|static) )?([A-Za-z_]\w*)",
    )
    .unwrap();
    let mut found = Vec::new();
    for source in sources() {
        let lines: Vec<&str> = source.text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let Some(doc) = line.trim_start().strip_prefix("/// ") else { continue };
            let is_doc = |line: &&str| line.trim_start().starts_with("///");
            if lines.get(at.wrapping_sub(1)).is_some_and(is_doc) || lines.get(at + 1).is_some_and(is_doc) {
                continue;
            }
            let next = lines[at + 1..].iter().find(|line| !line.trim_start().starts_with("#["));
            let name = next.and_then(|line| item.captures(line)).map(|captures| captures[1].to_owned());
            if name.is_some_and(|name| repeats(doc, &name)) {
                found.push(format!("{}:{}: {doc}", source.short(), at + 1));
            }
        }
    }
    assert!(found.is_empty(), "doc comments that say no more than the name:\n{}", found.join("\n"));
}

/// Whether a line of a doc comment contains only fillers and the words of a name. Numbers and code say something.
fn repeats(doc: &str, name: &str) -> bool {
    let parts: Vec<String> =
        Regex::new("[A-Z]?[a-z]+|[A-Z]+").unwrap().find_iter(name).map(|part| part.as_str().to_lowercase()).collect();
    let is_part = |word: &str| parts.iter().any(|part| is_form(word, part) || is_form(part, word));
    let words = doc.split(|c: char| !c.is_alphanumeric() && c != '`' && c != '\'').filter(|word| !word.is_empty());
    words.map(str::to_lowercase).all(|word| {
        let word = word.strip_suffix("'s").unwrap_or(&word);
        FILLERS.contains(&word) || is_part(word)
    })
}

/// Whether a word is another, perhaps with an ending: `leases`, `leased`.
fn is_form(word: &str, of: &str) -> bool {
    word.strip_prefix(of).is_some_and(|ending| matches!(ending, "" | "s" | "es" | "d" | "ed" | "ing"))
}

#[test]
fn only_a_comment_that_repeats_the_name_says_nothing() {
    for (doc, name) in [
        ("The lease.", "lease"),
        ("To a connect.", "Connect"),
        ("The account's key.", "account_key"),
        ("It was paid.", "Paid"),
    ] {
        assert!(repeats(doc, name), "{doc}");
    }
    for (doc, name) in [("The 33 bytes.", "as_bytes"), ("`bytes`.", "Bytes"), ("The lease that ended.", "lease")] {
        assert!(!repeats(doc, name), "{doc}");
    }
}
