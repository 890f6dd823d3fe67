use serde_json::Value;

/// What was asked for.
#[derive(Debug)]
pub(crate) struct Report {
    /// For people, with the colours of a terminal.
    pub(crate) text: String,
    /// The same for programs.
    pub(crate) json: Value,
    /// Whoever was asked has answered.
    pub(crate) complete: bool,
}
