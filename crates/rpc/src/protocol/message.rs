//! The text of single messages: reading with the raw parts left as they are, and writing.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use vipnode_types::wire::{ErrorCode, ErrorData, WireError};

use super::FrameError;

use crate::limits::{ERROR_CHARS, ID_BYTES, REVERT_BYTES};

/// A frame, by its part in JSON-RPC.
pub(crate) enum Message<'a> {
    /// With an id: to be answered.
    Request { id: &'a RawValue, method: Cow<'a, str>, params: &'a RawValue },
    /// Without: never answered (fault D45, docs/faults.md).
    Notification { method: Cow<'a, str>, params: &'a RawValue },
    /// To a call of ours, if `id` is one.
    Answer { id: Option<u64>, result: Result<&'a RawValue, WireError> },
    /// Neither; the id to answer under, if there is one.
    Invalid { id: Option<&'a RawValue>, why: &'static str },
    /// Not even that.
    NotJson,
}

/// One message of the other side. Each raw part is present as soon as its name is, also as `null`.
#[derive(Deserialize)]
struct Raw<'a> {
    #[serde(borrow, default)]
    jsonrpc: Option<JsonString<'a>>,
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    method: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    params: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    error: Option<&'a RawValue>,
}

fn present<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// Reads one message.
pub(crate) fn read(text: &str) -> Message<'_> {
    let Ok(raw) = serde_json::from_str::<Raw<'_>>(text) else {
        if serde_json::from_str::<&RawValue>(text).is_err() {
            return Message::NotJson;
        }
        return Message::Invalid { id: None, why: "a message is an object, each of its fields stands once" };
    };
    let id = raw.id.filter(|id| id.get().len() <= ID_BYTES);
    let invalid = |why| Message::Invalid { id, why };
    // The first agents of the original sent it empty.
    if raw.jsonrpc.is_some_and(|version| !matches!(&*version.0, "2.0" | "")) {
        return invalid("this is JSON-RPC 2.0");
    }
    if raw.id.is_some() && id.is_none() {
        return invalid("the id of the request is too long");
    }
    let Some(method) = raw.method else { return read_answer(id, raw.result, raw.error) };
    let Ok(method) = serde_json::from_str::<JsonString<'_>>(method.get()) else {
        return invalid("the method is not a string");
    };
    let params = raw.params.unwrap_or(RawValue::NULL);
    let params = if params.get() == "null" { no_params() } else { params };
    if !params.get().starts_with(['[', '{']) {
        return invalid("params are an array or an object");
    }
    match id {
        Some(id) => Message::Request { id, method: method.0, params },
        None => Message::Notification { method: method.0, params },
    }
}

/// A string that is borrowed where it has no escapes.
#[derive(Deserialize)]
struct JsonString<'a>(#[serde(borrow)] Cow<'a, str>);

fn read_answer<'a>(id: Option<&'a RawValue>, result: Option<&'a RawValue>, error: Option<&'a RawValue>) -> Message<'a> {
    let error = error.filter(|error| error.get() != "null");
    let result = match (error, result) {
        (Some(error), _) => Err(read_error(error)),
        (None, Some(result)) => Ok(result),
        (None, None) => return Message::Invalid { id, why: "neither a method nor a result nor an error" },
    };
    Message::Answer { id: id.and_then(read_id), result }
}

/// The id of a call of ours. Some servers and proxies return it as a string.
fn read_id(id: &RawValue) -> Option<u64> {
    let text = id.get();
    text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text).parse().ok()
}

/// Reads an error leniently: nodes put all sorts of things into `data`, and codes of any size.
fn read_error(raw: &RawValue) -> WireError {
    #[derive(Deserialize)]
    struct Lenient<'a> {
        #[serde(default)]
        code: i64,
        #[serde(default, borrow)]
        message: Cow<'a, str>,
        #[serde(default, borrow)]
        data: Option<&'a RawValue>,
    }
    let Ok(error) = serde_json::from_str::<Lenient<'_>>(raw.get()) else {
        return FrameError::UnknownForm.into();
    };
    WireError {
        code: i32::try_from(error.code).unwrap_or(ErrorCode::Server as i32),
        message: error.message.into_owned(),
        data: error.data.and_then(read_data),
    }
    .sanitized(ERROR_CHARS)
}

/// Our own data, or what execution clients return of a call that reverted: hex as a string.
fn read_data(data: &RawValue) -> Option<ErrorData> {
    if let Ok(text) = serde_json::from_str::<JsonString<'_>>(data.get()) {
        let hex = text.0.strip_prefix("0x").filter(|hex| hex.len() <= 2 * REVERT_BYTES)?;
        let revert = const_hex::decode(hex).ok()?;
        return Some(ErrorData { revert: Some(revert.into()), ..ErrorData::default() });
    }
    serde_json::from_str(data.get()).ok()
}

fn no_params() -> &'static RawValue {
    serde_json::from_str("[]").unwrap_or(RawValue::NULL)
}

/// The text of a request; `id` `None` makes it a notification.
#[must_use]
pub fn request_text(id: Option<u64>, method: &str, params: &RawValue) -> String {
    #[derive(Serialize)]
    struct Request<'a> {
        jsonrpc: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<u64>,
        method: &'a str,
        params: &'a RawValue,
    }
    to_text(&Request { jsonrpc: "2.0", id, method, params })
}

pub(crate) fn answer_text(id: &RawValue, result: Result<&RawValue, &WireError>) -> String {
    #[derive(Serialize)]
    struct Answer<'a> {
        jsonrpc: &'static str,
        id: &'a RawValue,
        #[serde(skip_serializing_if = "Option::is_none")]
        result: Option<&'a RawValue>,
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<&'a WireError>,
    }
    to_text(&Answer { jsonrpc: "2.0", id, result: result.ok(), error: result.err() })
}

/// Structs of strings and raw JSON always serialize.
fn to_text(message: &impl Serialize) -> String {
    serde_json::to_string(message).unwrap_or_default()
}
