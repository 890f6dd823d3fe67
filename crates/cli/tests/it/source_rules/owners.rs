//! Each piece of a core's state has one owner, whose fields only its own folder can reach.

use std::collections::{BTreeMap, BTreeSet};

use syn::{Visibility, visit::Visit};

use super::{import_cycles::CORES, sources};

/// What a core holds that is plain data: settings, counters, and what only flows use.
const DATA: &[(&str, &str)] = &[
    ("pool-core", "Counters"),
    ("pool-core", "PriceSchedule"),
    ("pool-core", "RestoreRow"),
    ("agent-core", "AgentConfig"),
    ("agent-core", "AgentCounters"),
    ("agent-core", "EndedLeases"),
];

#[test]
fn the_owners_of_a_core_have_private_fields() {
    let (mut open, mut unused) = (Vec::new(), DATA.to_vec());
    for (krate, core) in CORES {
        let mut structs = BTreeMap::new();
        for source in sources().iter().filter(|source| source.krate == *krate && !source.is_of_tests()) {
            structs.extend(source.parsed().items.into_iter().filter_map(|item| match item {
                syn::Item::Struct(item) => Some((item.ident.to_string(), item)),
                _ => None,
            }));
        }
        let mut held = TypeNames::default();
        held.visit_item_struct(&structs[*core]);
        let owners: Vec<_> = held.0.iter().filter_map(|name| Some((name, structs.get(name)?))).collect();
        assert!(owners.len() > 5, "{core} has only {} owners", owners.len());
        for (name, owner) in owners {
            let fields = owner.fields.iter().filter(|field| !matches!(field.vis, Visibility::Inherited));
            let fields: Vec<String> = fields.filter_map(|field| Some(field.ident.as_ref()?.to_string())).collect();
            let row = (*krate, name.as_str());
            if DATA.contains(&row) {
                unused.retain(|data| *data != row || fields.is_empty());
            } else if !fields.is_empty() {
                open.push(format!("{krate}: {name} {{ {} }}", fields.join(", ")));
            }
        }
    }
    assert!(open.is_empty(), "fields that other owners can reach:\n{}", open.join("\n"));
    assert!(unused.is_empty(), "DATA names what is gone or private: {unused:?}");
}

/// The names of all types in a struct.
#[derive(Default)]
struct TypeNames(BTreeSet<String>);

impl<'ast> Visit<'ast> for TypeNames {
    fn visit_path_segment(&mut self, segment: &'ast syn::PathSegment) {
        self.0.insert(segment.ident.to_string());
        syn::visit::visit_path_segment(self, segment);
    }
}
