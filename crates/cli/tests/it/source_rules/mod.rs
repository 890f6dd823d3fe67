//! Tests that read the sources and check automatically what a reviewer would otherwise have to check.

mod codes;
mod crate_dependencies;
mod doc_comments;
mod error_types;
mod figures;
mod import_cycles;
mod known_faults;
mod limits;
mod names;
mod owners;
mod page_width;
mod style;
mod test_selection;
mod texts;
mod wording;

use std::path::{Path, PathBuf};

use syn::{Attribute, visit::Visit};

/// The folder of the whole workspace.
fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A Rust file of a crate.
struct Source {
    path: PathBuf,
    /// The folder's name below `crates`.
    krate: String,
    /// Whether it is below `src`, not `tests`, `examples` or `benches`.
    in_src: bool,
    /// The module that the file is: `matching::score`; empty for `lib.rs` and `main.rs`.
    module: Vec<String>,
    text: String,
}

impl Source {
    fn parsed(&self) -> syn::File {
        syn::parse_file(&self.text).unwrap_or_else(|error| panic!("{}: {error}", self.path.display()))
    }

    /// Tests, and what supports them.
    fn is_of_tests(&self) -> bool {
        !self.in_src || self.module.iter().any(|name| name == "tests")
    }

    /// The path below `crates`.
    fn short(&self) -> String {
        self.path.strip_prefix(workspace().join("crates")).unwrap().display().to_string()
    }
}

/// All Rust files of all crates, in order of their paths.
fn sources() -> Vec<Source> {
    let crates = workspace().join("crates");
    let mut found = Vec::new();
    for entry in walkdir::WalkDir::new(&crates).sort_by_file_name() {
        let path = entry.unwrap().into_path();
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let names: Vec<String> =
            path.strip_prefix(&crates).unwrap().iter().map(|part| part.to_str().unwrap().to_owned()).collect();
        let (in_src, root) = match &*names[1] {
            "src" => (true, 2),
            "tests" => (false, 3),
            _ => (false, 2),
        };
        let mut module = names[root.min(names.len() - 1)..].to_vec();
        let file = module.pop().unwrap();
        if !matches!(&*file, "mod.rs" | "lib.rs" | "main.rs") {
            module.push(file.trim_end_matches(".rs").to_owned());
        }
        found.push(Source { krate: names[0].clone(), in_src, module, text: read(&path), path });
    }
    assert!(found.len() > 300, "only {} files found", found.len());
    found
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| attribute.path().segments.last().is_some_and(|segment| segment.ident == "test"))
}

/// `#[cfg(test)]`, alone or among others.
fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        syn::Meta::List(list) if list.path.is_ident("cfg") => {
            let tokens = list.tokens.to_string();
            tokens.split(|c: char| !c.is_alphanumeric()).any(|word| word == "test") && !tokens.starts_with("not")
        }
        _ => false,
    })
}

/// All tests as nextest names them inside their binary: `real_geth::a_name`.
fn tests() -> Vec<String> {
    let mut all = Vec::new();
    for source in sources() {
        let mut tests = Tests { module: source.module.clone(), found: Vec::new() };
        tests.visit_file(&source.parsed());
        all.extend(tests.found);
    }
    all
}

struct Tests {
    module: Vec<String>,
    found: Vec<String>,
}

impl Tests {
    fn take(&mut self, name: &str) {
        let path: Vec<&str> = self.module.iter().map(String::as_str).chain([name]).collect();
        self.found.push(path.join("::"));
    }
}

impl<'ast> Visit<'ast> for Tests {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.module.push(item.ident.to_string());
        syn::visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if is_test(&item.attrs) {
            self.take(&item.sig.ident.to_string());
        }
        syn::visit::visit_item_fn(self, item);
    }

    /// `proptest! { #[test] fn name(…) … }`.
    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        if call.path.is_ident("proptest") {
            let text = call.tokens.to_string();
            for rest in text.split("fn ").skip(1) {
                self.take(rest.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next().unwrap());
            }
        }
    }
}
