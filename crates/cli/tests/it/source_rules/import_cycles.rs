//! No import cycles between the folders of a crate, and `impl Core` and `impl AgentCore` only where they belong.

use std::collections::{BTreeMap, BTreeSet};

use regex_lite::Regex;
use syn::{UseTree, visit::Visit};

use super::{Source, is_for_tests, sources};

/// Imports that close a circle: crate, from which folder, to which. The list may only shrink.
const KNOWN: &[(&str, &str, &str)] = &[];

/// The cores, each with an `impl` only in the type's own file and in `flows/`.
pub(super) const CORES: &[(&str, &str)] = &[("pool-core", "Core"), ("agent-core", "AgentCore")];

#[test]
fn folders_import_each_other_in_no_circle() {
    let mut graphs: BTreeMap<String, BTreeMap<String, BTreeMap<String, String>>> = BTreeMap::new();
    let sources = sources();
    let roots = Roots::of(&sources);
    for source in sources.iter().filter(|source| !source.is_of_tests()) {
        let Some(from) = roots.folder(source) else { continue };
        let mut imports = Imports::new(source, &roots);
        imports.visit_file(&source.parsed());
        let graph = graphs.entry(source.krate.clone()).or_default();
        for (to, line) in imports.found.into_iter().filter(|(to, _)| *to != from) {
            let example = format!("{}:{line}", source.short());
            graph.entry(from.clone()).or_default().entry(to).or_insert(example);
        }
    }
    let mut circles = Vec::new();
    for (krate, graph) in &mut graphs {
        for (_, from, to) in KNOWN.iter().filter(|(known, ..)| known == krate) {
            if graph.get_mut(*from).and_then(|uses| uses.remove(*to)).is_none() {
                circles.push(format!("{krate}: {from} uses {to} no longer; take it out of KNOWN"));
            }
        }
        circles.extend(circle(graph).into_iter().map(|edges| format!("{krate}: {edges}")));
    }
    assert!(circles.is_empty(), "imports between folders:\n{}", circles.join("\n"));
}

/// The imports between folders that a circle can be made of.
fn circle(graph: &BTreeMap<String, BTreeMap<String, String>>) -> Option<String> {
    let mut left = graph.clone();
    loop {
        let before = left.len();
        let names: BTreeSet<String> = left.keys().cloned().collect();
        left.retain(|_, uses| {
            uses.retain(|to, _| names.contains(to));
            !uses.is_empty()
        });
        if left.len() == before {
            break;
        }
    }
    let edges = |(from, uses): (&String, &BTreeMap<String, String>)| {
        uses.iter().map(|(to, at)| format!("\n  {from} → {to} ({at})")).collect::<String>()
    };
    (!left.is_empty()).then(|| left.iter().map(edges).collect())
}

/// What `crate::X` is in each crate.
struct Roots {
    /// The folders below `src`.
    folders: BTreeMap<String, BTreeSet<String>>,
    /// Names that `lib.rs` or `main.rs` takes out of a folder.
    names: BTreeMap<String, BTreeMap<String, String>>,
}

impl Roots {
    fn of(sources: &[Source]) -> Self {
        let mut roots = Self { folders: BTreeMap::new(), names: BTreeMap::new() };
        for source in sources.iter().filter(|source| source.in_src) {
            let names: Vec<_> = source.path.iter().skip_while(|part| *part != "src").collect();
            if let [_, folder, _, ..] = names[..] {
                roots.folders.entry(source.krate.clone()).or_default().insert(folder.to_str().unwrap().to_owned());
            }
        }
        for source in sources.iter().filter(|source| source.in_src && source.module.is_empty()) {
            for item in source.parsed().items {
                let syn::Item::Use(item) = item else { continue };
                let names = roots.names.entry(source.krate.clone()).or_default();
                flatten(&item.tree, &mut Vec::new(), &mut |path, name| {
                    let start = usize::from(matches!(&*path[0], "crate" | "self"));
                    names.insert(name.to_owned(), path[start].clone());
                });
            }
        }
        roots
    }

    /// The first folder of a file; none right below `src`. A module `a.rs` of a folder `a` belongs to it.
    fn folder(&self, source: &Source) -> Option<String> {
        let first = source.module.first()?;
        self.folders.get(&source.krate)?.get(first).cloned()
    }

    fn folder_of(&self, krate: &str, name: &str) -> Option<String> {
        let folders = self.folders.get(krate)?;
        let name = self.names.get(krate).and_then(|names| names.get(name)).map_or(name, String::as_str);
        folders.get(name).cloned()
    }
}

/// Every path of a `use`, with the name that it gets.
fn flatten(tree: &UseTree, path: &mut Vec<String>, take: &mut impl FnMut(&[String], &str)) {
    match tree {
        UseTree::Path(step) => {
            path.push(step.ident.to_string());
            flatten(&step.tree, path, take);
            path.pop();
        }
        UseTree::Group(group) => group.items.iter().for_each(|tree| flatten(tree, path, take)),
        UseTree::Name(name) => {
            path.push(name.ident.to_string());
            take(path, &name.ident.to_string());
            path.pop();
        }
        UseTree::Rename(rename) => {
            path.push(rename.ident.to_string());
            take(path, &rename.rename.to_string());
            path.pop();
        }
        UseTree::Glob(_) => take(path, "*"),
    }
}

/// The folders that a file names, and in which line.
struct Imports<'a> {
    source: &'a Source,
    roots: &'a Roots,
    /// Inline modules that the walk is in.
    inside: usize,
    found: Vec<(String, usize)>,
}

impl<'a> Imports<'a> {
    const fn new(source: &'a Source, roots: &'a Roots) -> Self {
        Self { source, roots, inside: 0, found: Vec::new() }
    }

    fn take(&mut self, path: &[String], line: usize) {
        let ups = path.iter().take_while(|step| *step == "super").count();
        let at_root = match path.first().map(String::as_str) {
            Some("crate") => 1,
            Some("super") if ups == self.source.module.len() + self.inside => ups,
            _ => return,
        };
        let Some(name) = path.get(at_root) else { return };
        self.found.extend(self.roots.folder_of(&self.source.krate, name).map(|folder| (folder, line)));
    }
}

impl<'ast> Visit<'ast> for Imports<'_> {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_for_tests(&item.attrs) {
            self.inside += 1;
            syn::visit::visit_item_mod(self, item);
            self.inside -= 1;
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let line = item.use_token.span.start().line;
        let mut paths = Vec::new();
        flatten(&item.tree, &mut Vec::new(), &mut |path, _| paths.push(path.to_vec()));
        paths.iter().for_each(|path| self.take(path, line));
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        let line = path.segments.first().map_or(0, |segment| segment.ident.span().start().line);
        self.take(&names, line);
        syn::visit::visit_path(self, path);
    }
}

#[test]
fn a_core_is_implemented_in_its_own_file_and_in_flows() {
    for (krate, core) in CORES {
        let mut elsewhere = Vec::new();
        for source in sources().iter().filter(|source| source.krate == *krate && !source.is_of_tests()) {
            let own = source.module.last().is_some_and(|name| name == "core" || name == "agent_core");
            if own || source.module.first().is_some_and(|name| name == "flows") {
                continue;
            }
            let is_impl = |item: &syn::Item| {
                let syn::Item::Impl(item) = item else { return false };
                let syn::Type::Path(path) = &*item.self_ty else { return false };
                item.trait_.is_none() && path.path.segments.last().is_some_and(|segment| segment.ident == core)
            };
            if source.parsed().items.iter().any(is_impl) {
                elsewhere.push(source.short());
            }
        }
        assert!(elsewhere.is_empty(), "{krate}: `impl {core}` outside flows/:\n{}", elsewhere.join("\n"));
    }
}

#[test]
fn each_folder_describes_what_belongs_there_what_it_calls_and_what_does_not_belong_there() {
    let calls = Regex::new(r"(?i)\b(calls?|uses?|reads?|wraps|depends?)\b").unwrap();
    let excludes = Regex::new(r"(?i)\b(not|never|nothing|none|neither|no|only)\b").unwrap();
    let sources = sources();
    let incomplete: Vec<String> = sources
        .iter()
        .filter(|source| source.in_src && source.path.ends_with("mod.rs") && !source.is_of_tests())
        .filter(|source| {
            let lines: Vec<&str> = source.text.lines().map_while(|line| line.strip_prefix("//!")).collect();
            let paragraphs = lines.join(" ");
            !calls.is_match(&paragraphs) || !excludes.is_match(&paragraphs)
        })
        .map(Source::short)
        .collect();
    assert!(incomplete.is_empty(), "begin with //! and describe all three: {incomplete:?}");
}
