//! Two things never share a name.

use std::collections::BTreeMap;

use syn::Item;

use super::sources;

#[test]
fn no_two_public_types_share_a_name() {
    let mut types: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for source in sources().iter().filter(|source| !source.is_of_tests()) {
        let public = |vis: &syn::Visibility| matches!(vis, syn::Visibility::Public(_));
        for item in source.parsed().items {
            let name = match item {
                Item::Struct(item) if public(&item.vis) => item.ident,
                Item::Enum(item) if public(&item.vis) => item.ident,
                Item::Trait(item) if public(&item.vis) => item.ident,
                Item::Type(item) if public(&item.vis) => item.ident,
                _ => continue,
            };
            types.entry(name.to_string()).or_default().push(source.short());
        }
    }
    types.retain(|_, files| files.len() > 1);
    let shared: Vec<String> = types.iter().map(|(name, files)| format!("{name}: {}", files.join(" "))).collect();
    assert!(shared.is_empty(), "{} names:\n{}", shared.len(), shared.join("\n"));
}
