//! Every method that a pool or an agent serves, as one document for programs and people: OpenRPC 1.3.
//!
//! [`document`] iterates over [`PoolMethod`] and [`AgentMethod`], which are what is served, and takes the [`Row`] of
//! each. The schemas of params and results come from the types of the wire themselves. Every example is real: its
//! signatures are valid over the bytes as they stand in the document. Sockets and tokio never enter.

mod examples;
mod parts;
mod protocol2;
mod protocol3;
mod row;

use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde::Serialize;
use serde_json::{Map, Value};
use vipnode_types::{AgentMethod, PoolMethod, wire::ErrorCode};

pub use parts::{Document, Example, Method, Named, Param};
pub use row::{Row, Signing, Way};

const INTRO: &str = "\
What a pool of vipnode and an agent say to each other: JSON-RPC 2.0 with params by position, over a WebSocket on which \
both sides call, or over HTTP POST, where only the pool answers. The tag of a method says who calls whom. Fields that \
are not known are ignored, so that either side can grow. Protocol 2 is the original vipnode's. In examples a signature \
holds over the text as it stands here; how to sign, and in which order, is told in the book's page \"Protocol 3\".";

/// All that is served, `more` included: what a role serves that this crate does not know.
#[must_use]
pub fn document(version: &str, more: &[Row]) -> Document {
    let settings = SchemaSettings::draft07().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut schemas = settings.into_generator();
    let pool = PoolMethod::ALL.iter().map(|method| pool_row(*method));
    let rows = pool.chain(AgentMethod::ALL.iter().map(|method| agent_row(*method)));
    let mut methods: Vec<Method> = rows.map(|row| row.method(&mut schemas)).collect();
    methods.extend(more.iter().map(|row| row.method(&mut schemas)));
    Document::new(version, INTRO, methods, components(&mut schemas))
}

fn pool_row(method: PoolMethod) -> Row {
    match method {
        PoolMethod::Ping => protocol3::ping(),
        PoolMethod::Status => protocol3::status(),
        PoolMethod::Reach => protocol3::reach(),
        PoolMethod::Connect => protocol3::connect(),
        PoolMethod::Report => protocol3::report(),
        PoolMethod::Ask => protocol3::ask(),
        PoolMethod::Explain => protocol3::explain(),
        PoolMethod::Leave => protocol3::leave(),
        PoolMethod::Bye => protocol3::bye(),
        PoolMethod::Update => protocol2::update(),
        PoolMethod::Peer => protocol2::peer(),
        PoolMethod::Host => protocol2::host(),
        PoolMethod::Client => protocol2::client(),
        PoolMethod::Account => protocol2::account(),
        PoolMethod::AddNode => protocol2::add_node(),
        PoolMethod::Withdraw => protocol2::withdraw(),
    }
}

fn agent_row(method: AgentMethod) -> Row {
    match method {
        AgentMethod::Admit => protocol3::admit(),
        AgentMethod::Evict => protocol3::evict(),
        AgentMethod::Dial => protocol3::dial(),
        AgentMethod::Whitelist => protocol2::whitelist(),
    }
}

/// The schemas that methods refer to, and the errors.
#[derive(Debug, Serialize)]
struct Components {
    errors: Map<String, Value>,
    schemas: Map<String, Value>,
}

fn components(schemas: &mut SchemaGenerator) -> Value {
    // What stands in the data of an error, which no method refers to.
    let _reference = schemas.subschema_for::<vipnode_types::wire::ErrorData>();
    let data = serde_json::json!({ "$ref": "#/components/schemas/ErrorData" });
    let errors = ErrorCode::ALL.iter().map(|&code| {
        let error = serde_json::json!({ "code": code as i32, "message": code.meaning(), "data": data });
        (code.name().to_owned(), error)
    });
    let components = Components { errors: errors.collect(), schemas: schemas.take_definitions(true) };
    let mut components = serde_json::to_value(components).unwrap_or_default();
    parts::without_links(&mut components);
    components
}

#[cfg(test)]
mod tests;
