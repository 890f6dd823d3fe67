//! The texts that the command line passes to its errors, read from the code itself.

use std::{collections::BTreeMap, fs, path::Path};

use proc_macro2::{TokenStream, TokenTree};
use syn::{Expr, ExprCall, ExprLit, Item, Lit, Pat, Token, punctuated::Punctuated, visit::Visit};

/// The sources below a folder of a crate, tests left out, in order of their names.
pub(crate) fn sources(krate: &str, below: &str) -> Vec<syn::File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name(krate).join("src").join(below);
    let mut paths: Vec<_> = walkdir::WalkDir::new(root)
        .into_iter()
        .map(|entry| entry.unwrap().into_path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .filter(|path| {
            !path.components().any(|part| {
                ["tests", "tests.rs", "demo", "testing", "sim"].iter().any(|name| part.as_os_str() == *name)
            })
        })
        .collect();
    paths.sort();
    paths.iter().map(|path| syn::parse_file(&fs::read_to_string(path).unwrap()).unwrap()).collect()
}

/// The words of an expression as its reader sees them, a value that is filled in as ‹name›; empty where there are none.
pub(crate) fn words(expr: &Expr) -> String {
    match expr {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => text.value(),
        Expr::Macro(call) if call.mac.path.is_ident("format") => of_tokens(call.mac.tokens.clone()),
        Expr::MethodCall(call) => words(&call.receiver),
        Expr::Reference(of) => words(&of.expr),
        Expr::Paren(of) => words(&of.expr),
        Expr::Block(of) => several(
            &of.block
                .stmts
                .iter()
                .filter_map(|stmt| match stmt {
                    syn::Stmt::Expr(expr, _) => Some(words(expr)),
                    _ => None,
                })
                .collect::<Vec<_>>(),
        ),
        Expr::If(of) => {
            let then = of
                .then_branch
                .stmts
                .last()
                .and_then(|stmt| if let syn::Stmt::Expr(expr, _) = stmt { Some(words(expr)) } else { None });
            let other = of.else_branch.as_ref().map(|(_, other)| words(other));
            several(&[then.unwrap_or_default(), other.unwrap_or_default()])
        }
        Expr::Match(of) => several(&of.arms.iter().map(|arm| words(&arm.body)).collect::<Vec<_>>()),
        _ => String::new(),
    }
}

fn several(all: &[String]) -> String {
    let all: Vec<&str> = all.iter().map(String::as_str).filter(|words| !words.is_empty()).collect();
    all.join("; or ")
}

/// The first text of a macro's tokens, with its places named.
fn of_tokens(tokens: TokenStream) -> String {
    let text = tokens.into_iter().find_map(|token| match token {
        TokenTree::Literal(literal) => match Lit::new(literal) {
            Lit::Str(text) => Some(text.value()),
            _ => None,
        },
        _ => None,
    });
    places(&text.unwrap_or_default())
}

/// `{name:?}` becomes ‹name›, `{}` becomes ‹…›, and `{{` a brace.
fn places(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        shown += &rest[..at];
        let (brace, after) = rest[at..].split_at(1);
        if let Some(after) = after.strip_prefix(brace) {
            shown += brace;
            rest = after;
            continue;
        }
        let (place, after) = after.split_once('}').unwrap_or((after, ""));
        let name = place.split(':').next().unwrap_or_default();
        let name = if name.is_empty() || name.bytes().all(|byte| byte.is_ascii_digit()) { "…" } else { name };
        shown += &format!("‹{name}›");
        rest = after;
    }
    shown + rest
}

/// All calls of functions whose path ends so, `WireError::new`: their arguments, a name bound by `let` in the same
/// function replaced by what it is bound to.
pub(crate) fn calls(file: &syn::File, path: &str) -> Vec<Vec<Expr>> {
    struct Calls<'a> {
        path: &'a str,
        consts: BTreeMap<String, Expr>,
        bound: BTreeMap<String, Expr>,
        found: Vec<Vec<Expr>>,
    }
    impl<'ast> Visit<'ast> for Calls<'_> {
        fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
            if item.ident != "tests" {
                syn::visit::visit_item_mod(self, item);
            }
        }
        fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
            self.bound.clear();
            syn::visit::visit_item_fn(self, function);
        }
        fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
            self.bound.clear();
            syn::visit::visit_impl_item_fn(self, function);
        }
        /// `vec![refuse(…)]`: what looks like a list of expressions is one.
        fn visit_macro(&mut self, call: &'ast syn::Macro) {
            let list = call.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated);
            list.iter().flatten().for_each(|expr| Visit::visit_expr(self, expr));
        }
        fn visit_local(&mut self, local: &'ast syn::Local) {
            if let (Pat::Ident(name), Some(value)) = (&local.pat, &local.init) {
                self.bound.insert(name.ident.to_string(), (*value.expr).clone());
            }
            syn::visit::visit_local(self, local);
        }
        fn visit_expr_call(&mut self, call: &'ast ExprCall) {
            if path_of(&call.func).ends_with(self.path) {
                let meant = |arg: &Expr| {
                    let arg = if let Expr::Reference(of) = arg { &of.expr } else { arg };
                    let Expr::Path(path) = arg else { return None };
                    let name = path.path.get_ident()?.to_string();
                    self.bound.get(&name).or_else(|| self.consts.get(&name))
                };
                self.found.push(call.args.iter().map(|arg| meant(arg).unwrap_or(arg).clone()).collect());
            }
            syn::visit::visit_expr_call(self, call);
        }
    }
    let consts = file.items.iter().filter_map(|item| match item {
        Item::Const(item) => Some((item.ident.to_string(), (*item.expr).clone())),
        _ => None,
    });
    let mut calls = Calls { path, consts: consts.collect(), bound: BTreeMap::new(), found: Vec::new() };
    calls.visit_file(file);
    calls.found
}

/// `ErrorCode::Busy` as it is written, with `::` before it so that a whole name can be asked for.
pub(crate) fn path_of(expr: &Expr) -> String {
    let Expr::Path(path) = expr else { return String::new() };
    path.path.segments.iter().map(|segment| format!("::{}", segment.ident)).collect()
}
