//! The tests that `./test` selects by name exist, and only these tests start real nodes.

use std::collections::BTreeSet;

use regex_lite::Regex;
use syn::visit::Visit;

use super::{is_for_tests, read, sources, tests, workspace};

/// The patterns of all `test(/…/)`.
fn patterns() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for file in ["test", ".config/nextest.toml"] {
        let text = read(&workspace().join(file));
        found.extend(text.split("test(/").skip(1).map(|rest| rest.split("/)").next().unwrap().to_owned()));
    }
    found
}

/// `real_(a|b)::` is `real_a::` and `real_b::`, each of which has to match.
fn alternatives(pattern: &str) -> Vec<String> {
    let choice = Regex::new(r"\(([a-z0-9_]+(?:\|[a-z0-9_]+)+)\)").unwrap();
    match choice.captures(pattern) {
        Some(found) => found[1].split('|').map(|name| pattern.replace(&found[0], name)).collect(),
        None => vec![pattern.to_owned()],
    }
}

#[test]
fn each_filter_matches_a_test() {
    let (patterns, tests) = (patterns(), tests());
    assert!(patterns.iter().any(|pattern| pattern.contains("real_")), "{patterns:?}");
    for pattern in patterns.iter().flat_map(|pattern| alternatives(pattern)) {
        let filter = Regex::new(&pattern).unwrap();
        assert!(tests.iter().any(|test| filter.is_match(test)), "no test matches test(/{pattern}/)");
    }
}

/// `./test` runs these modules with the programs that they need, or leaves them out.
#[test]
fn real_programs_are_started_in_modules_named_real() {
    let mut found = Vec::new();
    for source in sources() {
        let real = source.module.iter().any(|name| name.starts_with("real_"));
        // The libraries that start geths and EVMs for tests.
        let library =
            matches!(&*source.krate, "node" | "chain") && source.module.first().is_some_and(|name| name == "testing");
        if real || library {
            continue;
        }
        let is_example = source.path.iter().any(|part| part == "examples");
        let mut starts = Starts { in_tests: source.is_of_tests() && !is_example, found: Vec::new() };
        starts.visit_file(&source.parsed());
        found.extend(starts.found.iter().map(|what| format!("{}: {what}", source.short())));
    }
    assert!(found.is_empty(), "belongs into a module real_…:\n{}", found.join("\n"));
}

/// Calls that start a real client, and variables with the path of a real program.
struct Starts {
    in_tests: bool,
    found: Vec<String>,
}

impl<'ast> Visit<'ast> for Starts {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        let outer = self.in_tests;
        self.in_tests |= is_for_tests(&item.attrs);
        syn::visit::visit_item_mod(self, item);
        self.in_tests = outer;
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if let syn::Expr::Path(path) = &*call.func {
            let names: Vec<String> = path.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            let starts = names.iter().any(|name| matches!(&**name, "Geth" | "LightChain" | "old_full_node" | "Anvil"));
            let reads = names.last().is_some_and(|name| matches!(&**name, "var" | "var_os" | "new"));
            if self.in_tests && (starts || reads && call.args.first().is_some_and(is_program)) {
                self.found.push(names.join("::"));
            }
        }
        syn::visit::visit_expr_call(self, call);
    }
}

/// `geth`, or the variable with a program's path.
fn is_program(argument: &syn::Expr) -> bool {
    matches!(argument, syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. })
        if text.value() == "geth" || text.value().starts_with("VIPNODE_TEST_"))
}
