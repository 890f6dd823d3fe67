//! Two things never share a name.

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
            // `errors! { pub enum Name { … } }`
            Item::Macro(item) if item.mac.path.is_ident("errors") => {
                let text = item.mac.tokens.to_string();
                let words: Vec<&str> = text.split_whitespace().collect();
                for at in words.iter().enumerate().filter(|(_, word)| **word == "enum").map(|(at, _)| at) {
                    let is_public = at.checked_sub(1).is_some_and(|before| words[before] == "pub");
                    take(words[at + 1].to_owned(), is_public);
                }
            }
            _ => {}
        }
    }
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
