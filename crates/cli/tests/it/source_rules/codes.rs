//! A code such as D13 is written only with the page that explains it (docs/faults.md).

use regex_lite::Regex;

use super::{known_faults::tests_of_contracts, tests, texts::texts};

/// The page that lists the faults of the original.
const FAULTS: &str = "docs/faults.md";
/// A link to that page in SECURITY.md.
const LINK: &str = "[faults]";
/// The two sets of control characters, which only look like codes.
const CONTROL_CHARACTERS: [&str; 2] = ["C0", "C1"];

#[test]
fn a_code_is_written_only_with_the_page_that_explains_it() {
    let code = Regex::new(r"\b[A-Z][0-9]{1,2}\b").unwrap();
    let mut bare = Vec::new();
    for file in texts().into_iter().filter(|file| file.path != FAULTS) {
        for (line, prose) in file.prose() {
            let is_explained = prose.contains(FAULTS) || prose.contains(LINK);
            let codes = code.find_iter(&prose).map(|code| code.as_str());
            let codes = codes.filter(|code| !CONTROL_CHARACTERS.contains(code));
            let unknown = codes.filter(|code| !(code.starts_with('D') && is_explained));
            bare.extend(unknown.map(|code| format!("{}:{line}: {code}", file.path)));
        }
    }
    assert!(bare.is_empty(), "write what it means, or (fault D13, docs/faults.md):\n{}", bare.join("\n"));
}

#[test]
fn a_test_is_named_after_a_code_only_if_that_is_a_fault() {
    let code = Regex::new("^[a-ce-z][0-9]{1,2}_").unwrap();
    let names = tests().into_iter().map(|path| path.rsplit("::").next().unwrap_or_default().to_owned());
    let found: Vec<String> = names.chain(tests_of_contracts()).filter(|name| code.is_match(name)).collect();
    assert!(found.is_empty(), "named after a code that no page explains:\n{}", found.join("\n"));
}
