//! Style rules that a machine can check: length of files and functions, no way to panic outside tests.

use std::path::{Path, PathBuf};

use syn::{spanned::Spanned, visit::Visit};

const MAX_FILE_LINES: usize = 500;
const MAX_FUNCTION_LINES: usize = 70;

fn sources() -> Vec<PathBuf> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let files: Vec<PathBuf> = walkdir::WalkDir::new(crates)
        .into_iter()
        .filter_entry(|entry| entry.file_name() != "target")
        .map(|entry| entry.unwrap().into_path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect();
    assert!(files.len() > 40, "only {} files found", files.len());
    files
}

/// Tests, what supports them, and the simulator, which is nothing else.
fn is_test_file(path: &Path) -> bool {
    path.starts_with(Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("sim"))
        || path.components().any(|part| {
            matches!(
                part.as_os_str().to_str(),
                Some("tests" | "tests.rs" | "examples" | "testing" | "conformance" | "conformance.rs")
            )
        })
}

#[test]
fn files_and_functions_are_short() {
    let mut long = Vec::new();
    for path in sources() {
        let text = std::fs::read_to_string(&path).unwrap();
        let lines = text.lines().count();
        if lines > MAX_FILE_LINES {
            long.push(format!("{}: {lines} lines", path.display()));
        }
        let mut functions = Functions::default();
        functions.visit_file(&syn::parse_file(&text).unwrap());
        long.extend(functions.long.iter().map(|function| format!("{}: {function}", path.display())));
    }
    assert!(long.is_empty(), "too long:\n{}", long.join("\n"));
}

#[test]
fn nothing_can_panic_outside_tests() {
    let mut found = Vec::new();
    for path in sources().into_iter().filter(|path| !is_test_file(path)) {
        let text = std::fs::read_to_string(&path).unwrap();
        let mut panics = Panics::default();
        panics.visit_file(&syn::parse_file(&text).unwrap());
        found.extend(panics.found.iter().map(|place| format!("{}:{place}", path.display())));
    }
    assert!(found.is_empty(), "can panic:\n{}", found.join("\n"));
}

#[test]
fn doc_comments_say_something() {
    let mut empty = Vec::new();
    for path in sources() {
        let text = std::fs::read_to_string(&path).unwrap();
        let docs = text.lines().enumerate().filter_map(|(at, line)| Some((at + 1, line.trim().strip_prefix("/// ")?)));
        empty.extend(
            docs.filter(|(_, doc)| says_nothing(doc)).map(|(at, doc)| format!("{}:{at}: {doc}", path.display())),
        );
    }
    assert!(empty.is_empty(), "doc comments that say no more than the name:\n{}", empty.join("\n"));
}

/// Whether a line of a doc comment is an article and a noun alone: "The address."
fn says_nothing(doc: &str) -> bool {
    let articles = ["The", "A", "An", "Its", "Which", "What", "How", "Whose"];
    let mut words = doc.split(' ');
    let article = words.next().is_some_and(|word| articles.contains(&word));
    article && words.next().is_some_and(|word| word.ends_with('.')) && words.next().is_none()
}

#[derive(Default)]
struct Functions {
    long: Vec<String>,
}

impl Functions {
    fn look(&mut self, name: &syn::Ident, block: &syn::Block) {
        let span = block.span();
        let lines = span.end().line - span.start().line + 1;
        if lines > MAX_FUNCTION_LINES {
            self.long.push(format!("fn {name} has {lines} lines"));
        }
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.look(&item.sig.ident, &item.block);
        syn::visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.look(&item.sig.ident, &item.block);
        syn::visit::visit_impl_item_fn(self, item);
    }
}

#[derive(Default)]
struct Panics {
    found: Vec<String>,
}

fn for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        syn::Meta::Path(path) => path.segments.last().is_some_and(|segment| segment.ident == "test"),
        syn::Meta::List(list) => {
            list.path.is_ident("cfg") && {
                let tokens = list.tokens.to_string();
                !tokens.starts_with("not") && (tokens.contains("test") || tokens.contains("testing"))
            }
        }
        syn::Meta::NameValue(_) => false,
    })
}

impl<'ast> Visit<'ast> for Panics {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !for_tests(&item.attrs) {
            syn::visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !for_tests(&item.attrs) {
            syn::visit::visit_item_fn(self, item);
        }
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        let alone = call.method == "unwrap" && call.args.is_empty();
        if alone || (call.method == "expect" && call.args.len() == 1) {
            self.found.push(format!("{}: .{}()", call.method.span().start().line, call.method));
        }
        syn::visit::visit_expr_method_call(self, call);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        let name = call.path.segments.last().map(|segment| segment.ident.to_string());
        if matches!(name.as_deref(), Some("panic" | "todo" | "unimplemented" | "unreachable")) {
            self.found.push(format!("{}: {}!", call.path.span().start().line, name.unwrap()));
        }
    }
}
