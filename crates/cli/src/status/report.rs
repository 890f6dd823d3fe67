use serde_json::Value;

use crate::output::Styled;

/// What was asked for.
#[derive(Debug)]
pub(crate) struct Report {
    /// For people, with the colors of a terminal.
    pub(crate) text: Styled,
    /// The same for programs.
    pub(crate) json: Value,
    /// Whoever was asked has answered.
    pub(crate) complete: bool,
}
