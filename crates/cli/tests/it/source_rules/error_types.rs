//! An error keeps its type, and with it its hint, until it is displayed.

use syn::{GenericArgument, PathArguments, Type, visit::Visit};

use super::{Source, is_for_tests, sources};

/// Where a text is the error: clap displays it as soon as it has it.
fn is_displayed_at_once(source: &Source) -> bool {
    source.krate == "cli" && source.module.first().is_some_and(|folder| folder == "args")
}

/// Tests, and what supports them.
fn supports_tests(source: &Source) -> bool {
    source.is_of_tests() || source.module.iter().any(|name| matches!(&**name, "testing" | "conformance"))
}

#[test]
fn no_error_is_a_text() {
    let mut found = Vec::new();
    for source in sources().iter().filter(|source| !supports_tests(source) && !is_displayed_at_once(source)) {
        let mut texts = TextErrors::default();
        texts.visit_file(&source.parsed());
        found.extend(texts.0.iter().map(|line| format!("{}:{line}", source.short())));
    }
    assert!(found.is_empty(), "declare the errors by `errors!`, or return a typed one:\n{}", found.join("\n"));
}

/// The lines of each `Result<…, String>`, and of each `type Err = String` or `&str`. A `Result<…, &str>` is one of an invariant.
#[derive(Default)]
struct TextErrors(Vec<usize>);

fn is_string(kind: &Type) -> bool {
    matches!(kind, Type::Path(path) if path.path.is_ident("String"))
}

impl<'ast> Visit<'ast> for TextErrors {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_for_tests(&item.attrs) {
            syn::visit::visit_item_mod(self, item);
        }
    }

    fn visit_path_segment(&mut self, segment: &'ast syn::PathSegment) {
        if let PathArguments::AngleBracketed(arguments) = &segment.arguments
            && segment.ident == "Result"
            && let Some(GenericArgument::Type(error)) = arguments.args.iter().nth(1)
            && is_string(error)
        {
            self.0.push(segment.ident.span().start().line);
        }
        syn::visit::visit_path_segment(self, segment);
    }

    fn visit_impl_item_type(&mut self, item: &'ast syn::ImplItemType) {
        if (item.ident == "Err" || item.ident == "Error")
            && (is_string(&item.ty) || matches!(item.ty, Type::Reference(_)))
        {
            self.0.push(item.ident.span().start().line);
        }
        syn::visit::visit_impl_item_type(self, item);
    }
}
