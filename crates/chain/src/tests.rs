//! What the tests of this crate have in common.

use std::collections::BTreeSet;

use serde_json::Value;

/// The signatures of an artifact's functions, events, or errors, as the ABI writes them.
pub(crate) fn signatures(artifact: &Value, kind: &str) -> BTreeSet<String> {
    let items = artifact["abi"].as_array().unwrap().iter().filter(|item| item["type"] == kind);
    items.map(|item| format!("{}{}", item["name"].as_str().unwrap(), tuple(&item["inputs"]))).collect()
}

fn tuple(fields: &Value) -> String {
    let kinds: Vec<String> = fields.as_array().unwrap().iter().map(kind).collect();
    format!("({})", kinds.join(","))
}

fn kind(field: &Value) -> String {
    let kind = field["type"].as_str().unwrap();
    match kind.strip_prefix("tuple") {
        Some(array) => format!("{}{array}", tuple(&field["components"])),
        None => kind.to_owned(),
    }
}
