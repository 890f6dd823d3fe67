//! Every method that a pool or an agent serves, as one document for programs and people: OpenRPC 1.3.
//!
//! [`document`] iterates over [`PoolMethod`] and [`AgentMethod`], which are what is served, and takes the [`MethodRow`] of
//! each. The schemas of params and results are generated from the wire types. Every example is real: its signatures are
//! valid for the bytes exactly as they appear in the document. The crate uses neither sockets nor tokio.

mod accounts;
mod channels;
mod examples;
mod method_row;
mod parts;
mod protocol2;
mod protocol3;

use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde::Serialize;
use serde_json::{Map, Value};
use vipnode_types::{AgentMethod, PoolMethod, wire::ErrorCode};

pub use accounts::{funds_of_a_client, statement_page};
pub use method_row::{CallDirection, MethodRow, Signing};
pub use parts::{Document, Example, Method, Named, Param};

const INTRO: &str = "\
The methods that a vipnode pool and an agent call on each other. The protocol is JSON-RPC 2.0 with positional params, \
either over a WebSocket on which both sides call methods, or over HTTP POST, where only the pool responds. The tag of \
each method names the caller and the callee. Unknown fields are ignored, so that either side can add fields. Protocol 2 \
is the protocol of the original vipnode. In the examples, each signature is valid for the text exactly as shown. The \
\"Protocol 3\" page of the book describes what to sign and in which order. \
Numbers such as D46 name faults of the original vipnode; docs/faults.md lists them.";

/// Returns the document of all methods, including `more`: those that a role serves and this crate does not know.
#[must_use]
pub fn document(version: &str, more: &[MethodRow]) -> Document {
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

fn pool_row(method: PoolMethod) -> MethodRow {
    match method {
        PoolMethod::Ping => protocol3::ping(),
        PoolMethod::Status => protocol3::status(),
        PoolMethod::Reach => protocol3::reach(),
        PoolMethod::Connect => protocol3::connect(),
        PoolMethod::Report => protocol3::report(),
        PoolMethod::Ask => protocol3::ask(),
        PoolMethod::Explain => protocol3::explain(),
        PoolMethod::Link => accounts::link(),
        PoolMethod::Unlink => accounts::unlink(),
        PoolMethod::Funds => accounts::funds(),
        PoolMethod::Voucher => channels::voucher(),
        PoolMethod::AccountView => accounts::account(),
        PoolMethod::Statement => accounts::statement(),
        PoolMethod::DailyStatement => accounts::daily_statement(),
        PoolMethod::Payout => accounts::payout(),
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

fn agent_row(method: AgentMethod) -> MethodRow {
    match method {
        AgentMethod::Admit => protocol3::admit(),
        AgentMethod::Evict => protocol3::evict(),
        AgentMethod::Dial => protocol3::dial(),
        AgentMethod::Notice => protocol3::notice(),
        AgentMethod::Price => protocol3::price(),
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
