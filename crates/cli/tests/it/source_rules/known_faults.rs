//! `docs/faults.md` names only existing tests, and lists every fault of the original.

use std::collections::BTreeSet;

const PAGE: &str = include_str!("../../../../../docs/faults.md");

#[test]
fn each_fault_has_a_test_or_says_why_not_yet() {
    let mut tests: BTreeSet<String> =
        super::tests().iter().map(|path| path.rsplit("::").next().unwrap().to_owned()).collect();
    tests.extend(tests_of_contracts());
    let mut faults = BTreeSet::new();
    for row in PAGE.lines().filter(|line| line.starts_with("| D")) {
        let [_, fault, keeps, named, _] = row.split('|').collect::<Vec<_>>()[..] else { panic!("{row}") };
        let number: u32 = fault.trim()[1..].split(' ').next().unwrap().parse().unwrap();
        assert!(faults.insert(number), "D{number} stands twice");
        let named: Vec<&str> = named.split('`').filter(|name| name.starts_with('d')).collect();
        assert_ne!(named.is_empty(), !keeps.trim().starts_with("not yet"), "D{number}: tests, or why not yet");
        for name in named {
            assert!(name.starts_with(&format!("d{number}_")), "D{number}: {name}");
            assert!(tests.contains(name), "no test is named {name}");
        }
    }
    let expected: BTreeSet<u32> = (1..=51).filter(|number| ![5, 30].contains(number)).collect();
    assert_eq!(faults, expected);
}

/// The tests in `contracts/tests`, without the `test_` that forge needs.
pub(super) fn tests_of_contracts() -> Vec<String> {
    let folder = super::workspace().join("contracts/tests");
    let sources = std::fs::read_dir(folder).unwrap().map(|entry| super::read(&entry.unwrap().path()));
    let name = |rest: &str| rest.split('(').next().unwrap_or_default().to_owned();
    sources.flat_map(|text| text.split("function test_").skip(1).map(name).collect::<Vec<_>>()).collect()
}
