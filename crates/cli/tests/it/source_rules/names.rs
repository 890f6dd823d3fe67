//! Two things never share a name, and a file begins with the type that it is named after.

use std::collections::{BTreeMap, BTreeSet};

use syn::Item;

use super::{
    crate_dependencies::{ARROWS, WITH_DEFAULT_FEATURES},
    is_for_tests, sources,
};

/// Types that share a name although one could see the other: name, crate, crate that it can see (or the same). The list
/// may only shrink.
const SHARED: &[(&str, &str, &str)] = &[
    // A subcommand as clap calls it, and a command to the core of a pool.
    ("Command", "cli", "pool-core"),
    // One of two implementations, by the operating system.
    ("Handle", "files", "files"),
    ("Terminate", "cli", "cli"),
];

/// A type outside tests, with its file.
struct NamedType {
    name: String,
    krate: String,
    file: String,
    is_public: bool,
}

fn types() -> Vec<NamedType> {
    let mut types = Vec::new();
    for source in sources().iter().filter(|source| !source.is_of_tests()) {
        let mut take = |name: String, is_public| {
            types.push(NamedType { name, krate: source.krate.clone(), file: source.short(), is_public });
        };
        of_items(&source.parsed().items, &mut take);
    }
    types
}

fn of_items(items: &[Item], take: &mut impl FnMut(String, bool)) {
    let public = |vis: &syn::Visibility| matches!(vis, syn::Visibility::Public(_));
    for item in items {
        match item {
            Item::Struct(item) if !is_for_tests(&item.attrs) => take(item.ident.to_string(), public(&item.vis)),
            Item::Enum(item) if !is_for_tests(&item.attrs) => take(item.ident.to_string(), public(&item.vis)),
            Item::Trait(item) if !is_for_tests(&item.attrs) => take(item.ident.to_string(), public(&item.vis)),
            Item::Type(item) if !is_for_tests(&item.attrs) => take(item.ident.to_string(), public(&item.vis)),
            Item::Mod(item) if !is_for_tests(&item.attrs) => {
                of_items(item.content.as_ref().map_or(&[], |(_, items)| items), take);
            }
            Item::Macro(item) if item.mac.path.is_ident("errors") => {
                if let Some((name, is_public)) = declared(item) {
                    take(name, is_public);
                }
            }
            _ => {}
        }
    }
}

/// The type that a macro declares, as `errors! { pub enum Name { … } }` does, and whether it is public.
fn declared(item: &syn::ItemMacro) -> Option<(String, bool)> {
    let text = item.mac.tokens.to_string();
    let words: Vec<&str> = text.split_whitespace().collect();
    // Not a word of a doc comment.
    let at = words.windows(3).position(|words| matches!(words, ["enum" | "struct", _, "{"]))?;
    let is_public = at.checked_sub(1).is_some_and(|before| words[before] == "pub");
    Some((words[at + 1].to_owned(), is_public))
}

/// The name of a type; `None` for another item.
fn type_name(item: &Item) -> Option<String> {
    match item {
        Item::Struct(item) => Some(item.ident.to_string()),
        Item::Enum(item) => Some(item.ident.to_string()),
        Item::Union(item) => Some(item.ident.to_string()),
        Item::Trait(item) => Some(item.ident.to_string()),
        Item::Type(item) => Some(item.ident.to_string()),
        // Not the definition of a macro.
        Item::Macro(item) if item.ident.is_none() => declared(item).map(|(name, _)| name),
        _ => None,
    }
}

/// Whether something may stand before the first type of a file: what it imports, and constants.
fn is_before_types(item: &Item) -> bool {
    match item {
        Item::Use(_) | Item::Mod(_) | Item::ExternCrate(_) | Item::Const(_) | Item::Static(_) => true,
        Item::Macro(item) => item.ident.is_some(),
        _ => false,
    }
}

#[test]
fn a_file_begins_with_the_type_that_it_is_named_after() {
    let mut found = Vec::new();
    for source in sources().iter().filter(|source| !source.is_of_tests()) {
        let file = source.path.file_stem().unwrap().to_str().unwrap();
        let items = source.parsed().items;
        let named = |item: &Item| type_name(item).is_some_and(|name| name.eq_ignore_ascii_case(&file.replace('_', "")));
        let first = items.iter().find(|item| !is_before_types(item));
        if items.iter().any(named) && !first.is_some_and(named) {
            found.push(source.short());
        }
    }
    assert!(found.is_empty(), "move the type that the file is named after up:\n{}", found.join("\n"));
}

/// The crates that each crate can see, itself among them.
fn seen_by() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let mut seen = BTreeMap::new();
    for (krate, _) in ARROWS {
        let (mut reached, mut todo) = (BTreeSet::new(), vec![*krate]);
        while let Some(next) = todo.pop() {
            if reached.insert(next) {
                let uses = ARROWS.iter().chain(WITH_DEFAULT_FEATURES).filter(|(of, _)| *of == next);
                todo.extend(uses.flat_map(|(_, uses)| uses.iter().copied()));
            }
        }
        seen.insert(*krate, reached);
    }
    seen
}

#[test]
fn no_two_public_types_share_a_name() {
    let mut public: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for found in types().into_iter().filter(|found| found.is_public) {
        public.entry(found.name).or_default().push(found.file);
    }
    public.retain(|_, files| files.len() > 1);
    let shared: Vec<String> = public.iter().map(|(name, files)| format!("{name}: {}", files.join(" "))).collect();
    assert!(shared.is_empty(), "{} names:\n{}", shared.len(), shared.join("\n"));
}

#[test]
fn no_two_types_share_a_name_within_a_crate_and_what_it_uses() {
    let (types, seen) = (types(), seen_by());
    let (mut shared, mut unused) = (Vec::new(), SHARED.to_vec());
    for (at, one) in types.iter().enumerate() {
        for (other_at, other) in types.iter().enumerate().filter(|(_, other)| other.name == one.name) {
            let within = one.krate == other.krate;
            if !seen[&*one.krate].contains(&*other.krate) || (within && other_at <= at) {
                continue;
            }
            let row = (&*one.name, &*one.krate, &*other.krate);
            unused.retain(|listed| *listed != row);
            if !SHARED.contains(&row) {
                shared.push(format!("{}: {} {}", one.name, one.file, other.file));
            }
        }
    }
    assert!(shared.is_empty(), "{} pairs:\n{}", shared.len(), shared.join("\n"));
    assert!(unused.is_empty(), "SHARED names what is gone: {unused:?}");
}
