use serde_json::Value;

use crate::output::Styled;

/// A result, for people and for programs.
#[derive(Debug)]
pub(crate) struct Report {
    /// For people, with the colors of a terminal.
    pub(crate) text: Styled,
    /// The same for programs.
    pub(crate) json: Value,
    /// Whether everyone who was asked has answered.
    pub(crate) complete: bool,
}
