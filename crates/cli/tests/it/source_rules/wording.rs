//! Words that a native technical writer of this field would not use here.

use regex_lite::Regex;

use super::texts::{TextFile, texts};

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
    (r"any longer", "no longer, anymore"),
    (r"somebody", "name the subject"),
    (r"wholly", "fully"),
    (r"as far as", "if, or name the part"),
    (r"(is|are|was|were) to be", "must be, or name the subject"),
];

/// After "is no", which is English with these.
const AFTER_NO: &[&str] = &["longer", "more", "other", "way", "need", "limit", "reason", "such", "sense", "hint"];

/// All files but this one.
fn others() -> impl Iterator<Item = TextFile> {
    texts().into_iter().filter(|file| !file.path.ends_with("source_rules/wording.rs"))
}

/// What not to name, as a pattern for a part of a name, and what to use.
const PARTS_OF_NAMES: &[(&str, &str)] = &[
    ("hunger|hungry|misfits?", "a standard term"),
    ("told|untold|tells?", "reported, known"),
    ("mend(s|ed)?", "hint, or fix"),
    ("door|story|voice", "a standard term"),
    ("anew|away|elsewhere", "again, disconnected, or on another machine"),
    ("stages?", "state"),
    ("grants?", "lease, or change at the node"),
    ("witness(es)?", "observation, or who reports it"),
    ("leftovers?|unwanted", "unreleased, rejected"),
];

/// Structs of Permit2 and x402, whose names are hashed.
const NAMES_OF_STANDARDS: [&str; 2] = ["DepositWitness", "PermitWitnessTransferFrom"];

#[test]
fn no_name_has_a_banned_part() {
    let name = Regex::new("[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)*").unwrap();
    let part = Regex::new("[A-Z]*[a-z0-9]+|[A-Z]+").unwrap();
    let banned: Vec<Regex> =
        PARTS_OF_NAMES.iter().map(|(words, _)| Regex::new(&format!("^(?i:{words})$")).unwrap()).collect();
    let mut found = Vec::new();
    for TextFile { path, text, .. } in others().filter(|file| file.path.ends_with(".rs")) {
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            let names = name.find_iter(code).map(|name| name.as_str());
            let names = names.filter(|name| !NAMES_OF_STANDARDS.contains(name));
            let of_many = names.filter(|name| name.contains('_') || name.chars().skip(1).any(char::is_uppercase));
            for name in of_many {
                let hit = |(banned, _): &(&Regex, _)| part.find_iter(name).any(|part| banned.is_match(part.as_str()));
                let hits = banned.iter().zip(PARTS_OF_NAMES).filter(hit);
                found.extend(hits.map(|(_, (_, better))| format!("{path}:{}: {name} ({better})", number + 1)));
            }
        }
    }
    assert!(found.is_empty(), "names with a banned word:\n{}", found.join("\n"));
}

#[test]
fn no_banned_word_is_left() {
    let words: Vec<Regex> =
        WORDS.iter().map(|(word, _)| Regex::new(&format!(r"(?i)\b(?:{word})\b")).unwrap()).collect();
    let mut found = Vec::new();
    for TextFile { path, text, .. } in others() {
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
