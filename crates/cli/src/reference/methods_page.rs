use std::fmt::Write;

use serde_json::Value;
use vipnode_openrpc::{Document, Example, Method};

const INTRO: &str = "\
# Methods

<!-- Written by `vipnode man --methods`; a test compares them. -->

All methods that a pool or an agent serves, generated from the same data as `docs/openrpc.json`.
[Protocol 3](protocol.md) explains how they work together. The keys and signatures in the examples are real and are valid
only for the text exactly as shown.
";

/// Returns the OpenRPC document as a page of the book.
///
/// # Errors
/// Serde cannot write the document; does not happen.
pub(crate) fn methods_page(document: &Document) -> Result<String, serde_json::Error> {
    let mut page = INTRO.to_owned();
    let whole = serde_json::to_value(document)?;
    let methods: Vec<(&Value, &Method)> = list(at(&whole, "methods")).iter().zip(&document.methods).collect();
    let mut ways: Vec<String> = Vec::new();
    for way in methods.iter().map(|(method, _)| tags(method)) {
        if !ways.contains(&way) {
            ways.push(way);
        }
    }
    for way in ways {
        // Writing into a string cannot fail.
        let _infallible = write!(page, "\n## {}\n", capital(&way));
        for (form, method) in methods.iter().filter(|(method, _)| tags(method) == way) {
            of_method(&mut page, form, &method.examples, "");
            if let Some(original) = &method.protocol2 {
                of_method(&mut page, at(form, "x-protocol-2"), &original.examples, " in protocol 2");
            }
        }
    }
    page += "\n## Types\n";
    for (name, form) in at(at(&whole, "components"), "schemas").as_object().into_iter().flatten() {
        of_form(&mut page, name, form);
    }
    Ok(page)
}

fn of_method(page: &mut String, method: &Value, examples: &[Example], behind: &str) {
    let (name, summary, words) =
        (text(at(method, "name")), text(at(method, "summary")), text(at(method, "description")));
    let _infallible = write!(page, "\n### `{name}`{behind}\n\n*{summary}.* {words}\n\n| | | |\n|---|---|---|\n");
    for (what, form) in
        list(at(method, "params")).iter().map(|form| ("parameter", form)).chain([("result", at(method, "result"))])
    {
        let over_http = if *at(form, "required") == Value::Bool(false) { "; over HTTP only" } else { "" };
        let (name, kind) = (text(at(form, "name")), kind(at(form, "schema")));
        let _infallible = writeln!(page, "| {what} | `{name}` | {}{over_http}: {kind} |", text(at(form, "summary")));
    }
    let errors = list(at(method, "errors")).iter().filter_map(|error| text(at(error, "$ref")).rsplit('/').next());
    let errors: Vec<String> = errors.map(|name| format!("[{name}](errors.md#{})", name.to_lowercase())).collect();
    if !errors.is_empty() {
        let _infallible = writeln!(page, "| errors | | {} |", errors.join(", "));
    }
    if !examples.is_empty() {
        page.push_str("\n```text\n");
        for example in examples {
            // Byte for byte: a signature is valid for no other text.
            let params: Vec<&str> = example.params.iter().map(|param| param.value.get()).collect();
            let (name, answer) = (capital(example.name), example.result.value.get());
            let _infallible = write!(page, "{name}:\n→ [{}]\n← {answer}\n", params.join(","));
        }
        page.push_str("```\n");
    }
}

fn of_form(page: &mut String, name: &str, form: &Value) {
    let words = text(at(form, "description"));
    let _infallible = write!(page, "\n### {name}\n\n{words}\n\n");
    let needed: Vec<&str> = list(at(form, "required")).iter().map(text).collect();
    let mut rows = String::new();
    for (field, form) in at(form, "properties").as_object().into_iter().flatten() {
        let free = if needed.contains(&field.as_str()) { "" } else { "; optional" };
        let _infallible =
            writeln!(rows, "| `{field}` | {}{free} | {} |", kind(form), cell(text(at(form, "description"))));
    }
    for one in list(at(form, "oneOf")) {
        let _infallible = writeln!(rows, "| {} | | {} |", kind(one), cell(text(at(one, "description"))));
    }
    if rows.is_empty() {
        let _infallible = writeln!(page, "{}", capital(&kind(form)));
    } else {
        let _infallible = write!(page, "| | | |\n|---|---|---|\n{rows}");
    }
}

/// A schema in words.
fn kind(schema: &Value) -> String {
    if let Some(name) = at(schema, "$ref").as_str().and_then(|path| path.rsplit('/').next()) {
        return format!("[{name}](#{})", name.to_lowercase());
    }
    for several in ["allOf", "anyOf"] {
        if let Some(schemas) = at(schema, several).as_array() {
            return schemas.iter().map(kind).collect::<Vec<_>>().join(" or ");
        }
    }
    if let Some(value) = schema.get("const") {
        return format!("`{value}`");
    }
    if let Some(fields) = at(schema, "properties").as_object() {
        let fields: Vec<String> = fields.iter().map(|(name, form)| format!("`{name}`: {}", kind(form))).collect();
        return format!("an object, {}", fields.join(", "));
    }
    let types = match at(schema, "type") {
        Value::Array(types) => types.iter().map(text).collect::<Vec<_>>(),
        one => vec![text(one)],
    };
    let words = types.into_iter().map(|one| match (one, text(at(schema, "pattern"))) {
        ("array", _) => format!("a list of {}", kind(at(schema, "items"))),
        ("string", "") => "a string".to_owned(),
        ("string", pattern) => format!("a string, `{}`", cell(pattern)),
        ("integer", _) => "a number".to_owned(),
        ("boolean", _) => "true or false".to_owned(),
        ("object", _) => "an object".to_owned(),
        ("null", _) => "null".to_owned(),
        (other, _) => other.to_owned(),
    });
    words.collect::<Vec<_>>().join(" or ")
}

fn tags(method: &Value) -> String {
    let tags = list(at(method, "tags")).iter().rev().map(|tag| text(at(tag, "name")));
    tags.collect::<Vec<_>>().join(", ")
}

fn at<'a>(value: &'a Value, name: &str) -> &'a Value {
    value.get(name).unwrap_or(&Value::Null)
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Escapes what a table cell cannot hold.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
