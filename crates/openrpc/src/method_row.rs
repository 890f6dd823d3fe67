use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde_json::{
    Value,
    value::{RawValue, to_raw_value},
};
use vipnode_types::{signed::Envelope, wire::ErrorCode};

use super::parts::{Example, Method, Named, Param};

/// The description of one method.
#[derive(Debug)]
pub struct MethodRow {
    name: &'static str,
    way: CallDirection,
    summary: &'static str,
    description: String,
    signing: Signing,
    argument: Option<Form>,
    result: Form,
    errors: &'static [ErrorCode],
    examples: Vec<Example>,
    protocol2: Option<Box<Self>>,
}

/// The caller and the callee of a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallDirection {
    /// Anyone may call a pool.
    AnyToPool,
    /// The holder of an account's key calls a pool.
    AccountToPool,
    /// An agent calls a pool.
    AgentToPool,
    /// A pool calls an agent.
    PoolToAgent,
    /// An agent of the original calls a pool.
    OriginalToPool,
    /// A pool of the original calls an agent.
    OriginalToAgent,
    /// A page of the original calls a pool.
    PageToPool,
    /// A program on the same machine calls an agent, on its local socket.
    Local,
    /// The operator calls a pool on the same machine, on its local socket.
    LocalPool,
}

/// What must be signed, which sets the layout of the params.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signing {
    /// Nothing: `[argument]`.
    Never,
    /// On a WebSocket `[argument]`, over HTTP `[argument, envelope]`.
    OverHttp,
    /// `[argument, envelope]`.
    Always,
    /// `[argument, envelope]`, or `[argument]` with the signature of an account in it.
    AgentOrAccount,
    /// By the node's key, as the original does: `[signature, id, nonce, argument]`.
    Node,
    /// By a wallet, as the original does: `[signature, wallet, nonce, argument]`.
    Wallet,
}

/// A form of JSON, with its name and what it is.
#[derive(Debug)]
struct Form {
    name: &'static str,
    summary: &'static str,
    schema: fn(&mut SchemaGenerator) -> Schema,
}

impl Form {
    fn of<T: JsonSchema>(name: &'static str, summary: &'static str) -> Self {
        Self { name, summary, schema: SchemaGenerator::subschema_for::<T> }
    }

    fn param(&self, schemas: &mut SchemaGenerator, required: bool) -> Param {
        let mut schema = Value::from((self.schema)(schemas));
        super::parts::without_links(&mut schema);
        Param { name: self.name, summary: self.summary, required, schema }
    }
}

impl CallDirection {
    const fn tags(self) -> &'static [&'static str] {
        match self {
            Self::AnyToPool => &["anyone to pool"],
            Self::AccountToPool => &["protocol 3", "account to pool"],
            Self::AgentToPool => &["protocol 3", "agent to pool"],
            Self::PoolToAgent => &["protocol 3", "pool to agent"],
            Self::OriginalToPool => &["protocol 2", "agent to pool"],
            Self::OriginalToAgent => &["protocol 2", "pool to agent"],
            Self::PageToPool => &["protocol 2", "web page to pool"],
            Self::Local => &["local socket of the agent"],
            Self::LocalPool => &["local socket of the pool"],
        }
    }
}

impl MethodRow {
    /// A method that takes nothing and gives `R`.
    #[must_use]
    pub fn new<R: JsonSchema>(
        name: &'static str,
        way: CallDirection,
        summary: &'static str,
        description: impl Into<String>,
        result: (&'static str, &'static str),
    ) -> Self {
        Self {
            name,
            way,
            summary,
            description: description.into(),
            signing: Signing::Never,
            argument: None,
            result: Form::of::<R>(result.0, result.1),
            errors: &[],
            examples: Vec::new(),
            protocol2: None,
        }
    }

    /// Its name on the wire.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Adds the method's only argument, with its schema.
    #[must_use]
    pub fn takes<T: JsonSchema>(self, name: &'static str, summary: &'static str) -> Self {
        Self { argument: Some(Form::of::<T>(name, summary)), ..self }
    }

    /// Who has to sign what.
    #[must_use]
    pub fn signed(self, signing: Signing) -> Self {
        Self { signing, ..self }
    }

    /// With which errors it can be answered.
    #[must_use]
    pub fn fails(self, errors: &'static [ErrorCode]) -> Self {
        Self { errors, ..self }
    }

    /// Adds a real call. `params` are in the order of the call; without them, no example is added.
    #[must_use]
    pub fn example(mut self, name: &'static str, params: Option<Vec<Box<RawValue>>>, result: &impl Serialize) -> Self {
        let Some(params) = params else { return self };
        let names = self.layout().into_iter().map(|(name, ..)| name);
        let params = names.zip(params).map(|(name, value)| Named { name, value }).collect();
        let value = to_raw_value(result).unwrap_or_else(|_| RawValue::NULL.to_owned());
        self.examples.push(Example::new(name, params, Named { name: self.result.name, value }));
        self
    }

    /// The form of the same name in protocol 2.
    #[must_use]
    pub fn in_protocol2(self, row: Self) -> Self {
        Self { protocol2: Some(Box::new(row)), ..self }
    }

    pub(super) fn method(&self, schemas: &mut SchemaGenerator) -> Method {
        let params = self.params(schemas);
        let result = self.result.param(schemas, true);
        let error = |code: &ErrorCode| serde_json::json!({ "$ref": format!("#/components/errors/{}", code.name()) });
        let mut method = Method::new(
            self.name,
            self.way.tags(),
            self.summary,
            self.description.clone(),
            params,
            result,
            self.errors.iter().map(error).collect(),
            self.examples.clone(),
        );
        method.protocol2 = self.protocol2.as_ref().map(|row| Box::new(row.method(schemas)));
        method
    }

    /// Names of the params, whether they have to be there, and what else than the argument they are.
    fn layout(&self) -> Vec<(&'static str, bool, Option<Form>)> {
        let argument = self.argument.as_ref().map(|form| (form.name, true, None));
        let envelope = |required| {
            (
                "envelope",
                required,
                Some(Form::of::<Envelope>(
                    "envelope",
                    "The signed envelope: the sender's identity, the pool, and the nonce",
                )),
            )
        };
        let text = |name, summary| (name, true, Some(Form::of::<String>(name, summary)));
        let nonce =
            ("nonce", true, Some(Form::of::<u64>("nonce", "Unix time in nanoseconds; must increase with each call")));
        match self.signing {
            Signing::Never => argument.into_iter().collect(),
            Signing::OverHttp | Signing::AgentOrAccount => argument.into_iter().chain([envelope(false)]).collect(),
            Signing::Always => argument.into_iter().chain([envelope(true)]).collect(),
            Signing::Node => {
                let signature = text("signature", "Signature by the node key: 65 bytes (R, S, and V) in base64");
                [signature, text("id", "The node ID (128 hex characters)"), nonce].into_iter().chain(argument).collect()
            }
            Signing::Wallet => {
                let signature = text("signature", "EIP-191 personal_sign signature: 65 bytes (R, S, and V) in hex");
                [signature, text("wallet", "The wallet's address"), nonce].into_iter().chain(argument).collect()
            }
        }
    }

    fn params(&self, schemas: &mut SchemaGenerator) -> Vec<Param> {
        let of = |(_, required, form): (&str, bool, Option<Form>)| match (form, &self.argument) {
            (Some(form), _) => Some(form.param(schemas, required)),
            (None, argument) => argument.as_ref().map(|form| form.param(schemas, required)),
        };
        self.layout().into_iter().filter_map(of).collect()
    }
}
