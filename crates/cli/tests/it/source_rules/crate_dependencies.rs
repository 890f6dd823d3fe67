//! The dependencies between the crates, as listed in ARCHITECTURE.md.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Who may use whom. Pool and agent meet only in types, rpc, files, and metrics.
pub(super) const ARROWS: &[(&str, &[&str])] = &[
    ("types", &[]),
    ("files", &[]),
    ("pool-core", &["types"]),
    ("agent-core", &["types"]),
    ("metrics", &[]),
    ("openrpc", &["types"]),
    ("rpc", &["files", "types"]),
    ("store", &["files", "pool-core", "types"]),
    ("node", &["files", "rpc", "types"]),
    ("chain", &["rpc", "types"]),
    ("pool", &["chain", "files", "openrpc", "pool-core", "metrics", "rpc", "store", "types"]),
    ("agent", &["agent-core", "files", "metrics", "node", "openrpc", "rpc", "types"]),
    ("cli", &["agent", "agent-core", "chain", "files", "metrics", "node", "openrpc", "pool", "pool-core", "types"]),
    ("sim", &["agent-core", "pool-core", "store", "types"]),
];

/// What a crate uses beyond that with its default features: the simulator's binary measures real pools.
pub(super) const WITH_DEFAULT_FEATURES: &[(&str, &[&str])] = &[("sim", &["pool", "rpc"])];

/// These compile without it, so that they run unchanged in the simulator.
const WITHOUT_TOKIO: &[&str] = &[
    "vipnode-types",
    "vipnode-files",
    "vipnode-openrpc",
    "vipnode-pool-core",
    "vipnode-agent-core",
    "vipnode-store",
    "vipnode-metrics",
    "vipnode-sim",
];

fn metadata(features: &[&str]) -> Value {
    let out = std::process::Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--offline",
            "--locked",
            "--filter-platform",
            "x86_64-unknown-linux-gnu",
        ])
        .args(features)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).unwrap()
}

fn normal_dependencies(metadata: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let names: BTreeMap<&str, &str> = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| (package["id"].as_str().unwrap(), package["name"].as_str().unwrap()))
        .collect();
    let normal = |dep: &Value| dep["dep_kinds"].as_array().unwrap().iter().any(|kind| kind["kind"].is_null());
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for node in metadata["resolve"]["nodes"].as_array().unwrap() {
        let name = names[node["id"].as_str().unwrap()].to_owned();
        let deps = node["deps"].as_array().unwrap().iter().filter(|dep| normal(dep));
        all.entry(name).or_default().extend(deps.map(|dep| names[dep["pkg"].as_str().unwrap()].to_owned()));
    }
    all
}

fn folder(package: &str) -> Option<&str> {
    if package == "vipnode" { Some("cli") } else { package.strip_prefix("vipnode-") }
}

#[test]
fn the_arrows_are_as_drawn() {
    let mut allowed: BTreeMap<&str, Vec<&str>> = ARROWS.iter().map(|(krate, uses)| (*krate, uses.to_vec())).collect();
    assert_arrows(&normal_dependencies(&metadata(&["--no-default-features"])), &allowed);
    for (krate, more) in WITH_DEFAULT_FEATURES {
        allowed.get_mut(krate).unwrap().extend(more.iter());
    }
    assert_arrows(&normal_dependencies(&metadata(&[])), &allowed);
}

fn assert_arrows(dependencies: &BTreeMap<String, BTreeSet<String>>, allowed: &BTreeMap<&str, Vec<&str>>) {
    let mut seen = 0;
    for (package, uses) in dependencies {
        let Some(krate) = folder(package) else { continue };
        let allowed = allowed.get(krate).unwrap_or_else(|| panic!("{package} is not in ARROWS"));
        for used in uses.iter().filter_map(|used| folder(used)) {
            assert!(allowed.contains(&used), "{krate} uses {used}; ARCHITECTURE.md does not draw that arrow");
        }
        seen += 1;
    }
    assert_eq!(seen, ARROWS.len());
}

#[test]
fn architecture_lists_the_arrows() {
    let page = architecture();
    for (krate, uses) in ARROWS.iter().filter(|(_, uses)| !uses.is_empty()) {
        let line = format!("{krate} → {}", uses.join(", "));
        assert!(page.lines().any(|found| found == line), "ARCHITECTURE.md has no line {line:?}");
    }
}

#[test]
fn architecture_names_each_folder() {
    let page = architecture();
    let crates = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for (krate, _) in ARROWS {
        let list =
            page.split_once(&format!("\n- `{krate}`: ")).map_or("", |(_, rest)| rest.split("\n- `").next().unwrap());
        for entry in std::fs::read_dir(crates.join(krate).join("src")).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir() && path.join("mod.rs").exists() && name != "tests" {
                assert!(list.contains(&format!("`{name}`")), "ARCHITECTURE.md lacks `{name}` of {krate}");
            }
        }
    }
}

fn architecture() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../ARCHITECTURE.md")).unwrap()
}

#[test]
fn the_cores_compile_without_tokio() {
    let dependencies = normal_dependencies(&metadata(&["--no-default-features"]));
    for start in WITHOUT_TOKIO {
        let mut reached = BTreeSet::new();
        let mut todo = vec![(*start).to_owned()];
        while let Some(package) = todo.pop() {
            assert_ne!(package, "tokio", "{start} reaches tokio");
            for used in &dependencies[&package] {
                if reached.insert(used.clone()) {
                    todo.push(used.clone());
                }
            }
        }
    }
}
