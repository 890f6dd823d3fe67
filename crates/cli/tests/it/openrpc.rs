//! `docs/openrpc.json` equals the program's output, is a valid OpenRPC document, and conforms to its own schemas.

use std::{fs, path::Path, process::Command};

use boon::{Compiler, Draft, SchemaIndex, Schemas};
use serde_json::{Value, json};

const META: &str = include_str!("../data/openrpc-meta-schema.json");

fn written(flag: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_vipnode")).args(["man", flag]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn document() -> Value {
    serde_json::from_str(&written("--openrpc")).unwrap()
}

fn schema(schemas: &mut Schemas, schema: Value) -> SchemaIndex {
    let mut compiler = Compiler::new();
    compiler.set_default_draft(Draft::V7);
    compiler.add_resource("mem:///schema.json", schema).unwrap();
    compiler.compile("mem:///schema.json", schemas).unwrap()
}

#[test]
fn the_files_are_what_the_program_prints() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    for (flag, file) in [("--openrpc", "openrpc.json"), ("--methods", "book/src/methods.md")] {
        let there = fs::read_to_string(docs.join(file)).unwrap_or_default();
        assert!(there == written(flag), "write it again: cargo run -p vipnode -- man {flag} > docs/{file}");
    }
}

/// A doc test on a type would end up in the description of its schema.
#[test]
fn descriptions_hold_no_code() {
    assert!(!written("--openrpc").contains("```"), "move the doc test from the type to a method");
}

#[test]
fn it_is_a_document_of_openrpc() {
    let meta = META
        .replace(
            "https://meta.json-schema.tools/#/definitions/JSONSchemaObject/properties/$ref",
            "DRAFT#/properties/$ref",
        )
        .replace("https://meta.json-schema.tools/", "DRAFT#")
        .replace("https://meta.json-schema.tools", "DRAFT#")
        .replace("DRAFT", "http://json-schema.org/draft-07/schema");
    let mut schemas = Schemas::new();
    let meta = schema(&mut schemas, serde_json::from_str(&meta).unwrap());
    let document = document();
    if let Err(error) = schemas.validate(&document, meta) {
        panic!("{error:#}");
    }
    let mut wrong = document;
    wrong["methods"][0]["params"][0].as_object_mut().unwrap().remove("name");
    assert!(schemas.validate(&wrong, meta).is_err(), "this schema takes anything");
}

/// Params and results of all examples, those of protocol 2 included, by the schemas next to them.
#[test]
fn its_examples_match_its_schemas() {
    let document = document();
    let methods = document["methods"].as_array().unwrap();
    let mut seen = 0;
    for method in methods.iter().chain(methods.iter().filter_map(|method| method.get("x-protocol-2"))) {
        for example in method["examples"].as_array().unwrap() {
            let forms = method["params"].as_array().unwrap().iter().zip(example["params"].as_array().unwrap());
            for (form, value) in forms.chain([(&method["result"], &example["result"])]) {
                assert_eq!(form["name"], value["name"]);
                let mut schemas = Schemas::new();
                let whole = json!({ "allOf": [form["schema"]], "components": document["components"] });
                let index = schema(&mut schemas, whole);
                if let Err(error) = schemas.validate(&value["value"], index) {
                    panic!("{}: {error:#}", method["name"]);
                }
                seen += 1;
            }
        }
    }
    assert!(seen > 60, "{seen}");
}

#[test]
fn each_form_and_each_field_of_it_is_explained() {
    let document = document();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    assert!(schemas.len() > 50, "{}", schemas.len());
    for (name, form) in schemas {
        assert!(form["description"].as_str().is_some_and(|words| !words.contains("[`")), "{name}: {form}");
        for (field, form) in form["properties"].as_object().into_iter().flatten() {
            let words = form["description"].as_str();
            assert!(words.is_some_and(|words| !words.contains("[`")), "{name}.{field}: {form}");
        }
    }
}
