//! Words that a native technical writer of this field would not use here.

use regex_lite::Regex;

use super::{read, sources, workspace};

/// What not to write, as a pattern, and what to write.
const WORDS: &[(&str, &str)] = &[
    (r"mend(s|ed|ing)?", "hint, or fix"),
    (r"anew", "again"),
    (r"whoever|whomever", "name the subject"),
    (r"(is|are|was|were|be|being) away", "unreachable, offline, disconnected"),
    (r"beside", "next to, on the same machine as"),
    (r"not to be had", "could not be read, is not available"),
    (r"tells|says|tell|told", "reports, returns, shows"),
    (r"minds?", "core, state machine"),
    (r"he|him|his", "they, or name the subject"),
    (r"dialling|dialled|behaviour|colours?|licence|initialise[ds]?|serialise[ds]?|recognise[ds]?|favour", "American"),
    (r"hunger|hungry|misfits?", "a standard term"),
    (r"(is|are) no [a-z]+", "negate the verb: is not a …"),
];

/// After "is no", which is English with these.
const AFTER_NO: &[&str] = &["longer", "more", "other", "way", "need", "limit", "reason", "such", "sense", "hint"];

/// The Rust files of the crates and all Markdown, each with its path.
fn texts() -> Vec<(String, String)> {
    let this = std::path::Path::new(file!()).file_name().unwrap();
    let mut texts: Vec<(String, String)> = sources()
        .into_iter()
        .filter(|source| source.path.file_name() != Some(this))
        .map(|source| (source.short(), source.text))
        .collect();
    let root = workspace();
    let hidden = |name: &std::ffi::OsStr| name == "target" || name.to_string_lossy().starts_with('.');
    let pages = walkdir::WalkDir::new(&root)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| entry.depth() == 0 || !hidden(entry.file_name()));
    for entry in pages {
        let path = entry.unwrap().into_path();
        if path.extension().is_some_and(|extension| extension == "md") {
            texts.push((path.strip_prefix(&root).unwrap().display().to_string(), read(&path)));
        }
    }
    texts
}

#[test]
fn no_banned_word_is_left() {
    let words: Vec<Regex> =
        WORDS.iter().map(|(word, _)| Regex::new(&format!(r"(?i)\b(?:{word})\b")).unwrap()).collect();
    let mut found = Vec::new();
    for (path, text) in texts() {
        for (number, line) in text.lines().enumerate() {
            for (word, (_, better)) in words.iter().zip(WORDS) {
                let english = |text: &str| AFTER_NO.iter().any(|next| text.ends_with(&format!(" no {next}")));
                let hits = word.find_iter(line).filter(|hit| !english(hit.as_str()));
                found.extend(hits.map(|hit| format!("{path}:{}: {} ({better})", number + 1, hit.as_str())));
            }
        }
    }
    assert!(found.is_empty(), "see writing in CONTRIBUTING.md:\n{}", found.join("\n"));
}
