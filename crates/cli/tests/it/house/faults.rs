//! `docs/faults.md` names tests that exist, and leaves no fault of the original out.

use std::{collections::BTreeSet, path::Path};

use syn::visit::Visit;

const PAGE: &str = include_str!("../../../../../docs/faults.md");

#[test]
fn each_fault_has_a_test_or_says_why_not_yet() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut tests = Tests::default();
    for entry in walkdir::WalkDir::new(crates) {
        let path = entry.unwrap().into_path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            tests.visit_file(&syn::parse_file(&std::fs::read_to_string(path).unwrap()).unwrap());
        }
    }
    let mut faults = BTreeSet::new();
    for row in PAGE.lines().filter(|line| line.starts_with("| D")) {
        let [_, fault, keeps, named, _] = row.split('|').collect::<Vec<_>>()[..] else { panic!("{row}") };
        let number: u32 = fault.trim()[1..].split(' ').next().unwrap().parse().unwrap();
        assert!(faults.insert(number), "D{number} stands twice");
        let named: Vec<&str> = named.split('`').filter(|name| name.starts_with('d')).collect();
        assert_ne!(named.is_empty(), !keeps.trim().starts_with("not yet"), "D{number}: tests, or why not yet");
        for name in named {
            assert!(name.starts_with(&format!("d{number}_")), "D{number}: {name}");
            assert!(tests.0.contains(name), "there is no test {name}");
        }
    }
    let expected: BTreeSet<u32> = (1..=51).filter(|number| ![5, 30].contains(number)).collect();
    assert_eq!(faults, expected);
}

/// Names of all functions that are tests.
#[derive(Default)]
struct Tests(BTreeSet<String>);

impl<'ast> Visit<'ast> for Tests {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        let is_test = |attribute: &syn::Attribute| {
            attribute.path().segments.last().is_some_and(|segment| segment.ident == "test")
        };
        if item.attrs.iter().any(is_test) {
            self.0.insert(item.sig.ident.to_string());
        }
        syn::visit::visit_item_fn(self, item);
    }

    /// `proptest! { #[test] fn name(…) … }`.
    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        if call.path.is_ident("proptest") {
            let text = call.tokens.to_string();
            let names = text.split("fn ").skip(1).filter_map(|rest| rest.split(|c: char| !is_name(c)).next());
            self.0.extend(names.map(ToOwned::to_owned));
        }
    }
}

const fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}
