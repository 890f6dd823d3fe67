//! The parts of an OpenRPC document, in the order in which they are written.

use serde::Serialize;
use serde_json::{Value, value::RawValue};

/// An OpenRPC document.
#[derive(Debug, Serialize)]
pub struct Document {
    openrpc: &'static str,
    info: Info,
    servers: Vec<Server>,
    /// What is served.
    pub methods: Vec<Method>,
    components: Value,
}

#[derive(Debug, Serialize)]
struct Info {
    title: &'static str,
    version: String,
    description: &'static str,
    license: Value,
}

#[derive(Debug, Serialize)]
struct Server {
    name: &'static str,
    url: &'static str,
    summary: &'static str,
}

/// A method of a [`Document`].
#[derive(Debug, Serialize)]
pub struct Method {
    /// On the wire.
    pub name: &'static str,
    tags: Vec<Tag>,
    summary: &'static str,
    description: String,
    #[serde(rename = "paramStructure")]
    structure: &'static str,
    params: Vec<Param>,
    result: Param,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Value>,
    /// Real calls and their answers.
    pub examples: Vec<Example>,
    /// The form of the same name in protocol 2.
    #[serde(rename = "x-protocol-2", skip_serializing_if = "Option::is_none")]
    pub protocol2: Option<Box<Method>>,
}

#[derive(Debug, Serialize)]
struct Tag {
    name: &'static str,
}

/// A parameter or a result.
#[derive(Debug, Clone, Serialize)]
pub struct Param {
    pub(super) name: &'static str,
    pub(super) summary: &'static str,
    pub(super) required: bool,
    pub(super) schema: Value,
}

/// A call and its answer.
#[derive(Debug, Clone, Serialize)]
pub struct Example {
    /// What it shows.
    pub name: &'static str,
    /// In the order of the call.
    pub params: Vec<Named>,
    /// What the method returns in this example.
    pub result: Named,
}

/// A value of an [`Example`], as its bytes stand on the wire.
#[derive(Debug, Clone, Serialize)]
pub struct Named {
    pub(super) name: &'static str,
    /// JSON.
    pub value: Box<RawValue>,
}

impl Document {
    pub(super) fn new(version: &str, description: &'static str, methods: Vec<Method>, components: Value) -> Self {
        let license = serde_json::json!({ "name": "MIT" });
        let info = Info { title: "vipnode", version: version.to_owned(), description, license };
        let server = |name, url, summary| Server { name, url, summary };
        let servers = vec![
            server("pool", "ws://127.0.0.1:8080", "A pool over WebSocket; both sides call methods"),
            server("pool over HTTP", "http://127.0.0.1:8080", "The same port: HTTP POST, each call signed"),
        ];
        Self { openrpc: "1.3.2", info, servers, methods, components }
    }

    /// The document as it is printed: two spaces deep, examples on one line each.
    ///
    /// # Errors
    /// What serde refuses; nothing of this is refused.
    pub fn to_text(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }
}

impl Method {
    #[expect(clippy::too_many_arguments, reason = "each is a field of OpenRPC")]
    pub(super) fn new(
        name: &'static str,
        tags: &[&'static str],
        summary: &'static str,
        description: String,
        params: Vec<Param>,
        result: Param,
        errors: Vec<Value>,
        examples: Vec<Example>,
    ) -> Self {
        let tags = tags.iter().map(|name| Tag { name }).collect();
        let structure = "by-position";
        Self { name, tags, summary, description, structure, params, result, errors, examples, protocol2: None }
    }
}

impl Example {
    pub(super) fn new(name: &'static str, params: Vec<Named>, result: Named) -> Self {
        Self { name, params, result }
    }
}

/// Makes descriptions of what rustdoc reads: ``[`super::Name`](…)`` becomes `` `Name` ``, a paragraph one line.
pub(super) fn without_links(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                match field {
                    Value::String(text) if name == "description" => *text = plain(text),
                    field => without_links(field),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(without_links),
        _ => {}
    }
}

fn plain(text: &str) -> String {
    let mut rest = text;
    let mut plain = String::with_capacity(text.len());
    while let Some((before, after)) = rest.split_once("[`") {
        let Some((path, after)) = after.split_once("`]") else { break };
        plain += before;
        plain.push('`');
        plain += path.rsplit("::").next().unwrap_or(path);
        plain.push('`');
        rest = match after.strip_prefix('(').and_then(|after| after.split_once(')')) {
            Some((_, after)) => after,
            None => after,
        };
    }
    plain += rest;
    let paragraphs = plain.split("\n\n").map(|paragraph| paragraph.replace('\n', " "));
    paragraphs.collect::<Vec<_>>().join("\n\n").replace("`None`", "`null`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_of_rustdoc_become_plain_words() {
        for (text, expected) in [
            ("See [`super::HostOffer::slots`].", "See `slots`."),
            ("is [`full`](Self::full); later", "is `full`; later"),
            ("[`A`] and [`b::C`](x) and [`open", "`A` and `C` and [`open"),
            ("one\nline\n\nand `None`", "one line\n\nand `null`"),
            ("nothing", "nothing"),
        ] {
            assert_eq!(plain(text), expected);
        }
    }
}
