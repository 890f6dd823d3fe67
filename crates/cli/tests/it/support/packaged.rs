//! The parts of the packaged Prometheus and Grafana files that tests need.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// A file below `packaging/`.
pub fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging").join(name)
}

pub fn text(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The metrics that there are, as the page of the book lists them.
pub fn known_metrics() -> BTreeSet<String> {
    let page = Command::new(env!("CARGO_BIN_EXE_vipnode")).args(["man", "--metrics"]).output().unwrap();
    let page = String::from_utf8(page.stdout).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let names: BTreeSet<String> = rows.filter(|name| name.starts_with("vipnode_")).map(str::to_owned).collect();
    assert!(names.len() > 40, "{names:?}");
    names
}

/// The panels of the dashboard that show something.
pub fn panels() -> Vec<Value> {
    let dashboard: Value = serde_json::from_str(&text("grafana/vipnode.json")).expect("valid JSON");
    let panels = dashboard["panels"].as_array().expect("panels").iter();
    panels.filter(|panel| panel["type"] != "row").cloned().collect()
}

/// Every expression of the dashboard, for all agents and pools.
pub fn dashboard_expressions() -> Vec<String> {
    let targets = panels().into_iter().flat_map(|panel| panel["targets"].as_array().expect("targets").clone());
    let expressions = targets.map(|target| target["expr"].as_str().expect("an expression").to_owned());
    expressions.map(|expr| expr.replace("$agent", ".+").replace("$pool", ".+")).collect()
}

/// Each alert with its expression. The file has one way to write them: on the line, or folded below `>-`.
pub fn alerts() -> Vec<(String, String)> {
    let text = text("prometheus/alerts.yml");
    let mut alerts: Vec<(String, String)> = Vec::new();
    let mut folded = false;
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("      - alert: ") {
            alerts.push((name.to_owned(), String::new()));
        } else if let Some(expr) = line.strip_prefix("        expr: ") {
            folded = expr == ">-";
            if !folded {
                alerts.last_mut().expect("an alert").1 = expr.to_owned();
            }
        } else if folded && line.starts_with("          ") {
            let expr = &mut alerts.last_mut().expect("an alert").1;
            expr.push(' ');
            expr.push_str(line.trim());
        } else {
            folded = false;
        }
    }
    assert!(alerts.iter().all(|(_, expr)| !expr.is_empty()), "{alerts:?}");
    alerts
}

/// The metrics that an expression reads: the words in it that are not a function, a word of the language, a label, or a
/// value of one.
pub fn metrics_of(expr: &str) -> BTreeSet<String> {
    const WORDS: [&str; 6] = ["and", "or", "unless", "bool", "offset", "sum"];
    const LABELS_FOLLOW: [&str; 6] = ["by", "without", "on", "ignoring", "group_left", "group_right"];
    let (mut metrics, mut rest) = (BTreeSet::new(), expr);
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':')).unwrap_or(rest.len());
        if end == 0 {
            rest = match first {
                '{' => after(rest, '}'),
                '[' => after(rest, ']'),
                _ => &rest[first.len_utf8()..],
            };
            continue;
        }
        let (word, behind) = rest.split_at(end);
        rest = behind.trim_start();
        if LABELS_FOLLOW.contains(&word) {
            rest = after(rest, ')');
        } else if !first.is_ascii_digit() && !rest.starts_with('(') && !WORDS.contains(&word) {
            metrics.insert(word.to_owned());
        }
    }
    metrics
}

fn after(text: &str, end: char) -> &str {
    text.split_once(end).expect("it is closed").1
}
