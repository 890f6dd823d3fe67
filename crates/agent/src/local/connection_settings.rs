use serde::{Deserialize, Serialize};

/// The connections that an agent allows. With the same settings, another command on this machine can reach the agent's
/// pool and node.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConnectionSettings {
    /// Whether the agent allows `ws://` and `http://` to other machines.
    pub insecure: bool,
    /// The absolute path of the PEM file with the additional CA certificates that the agent trusts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_ca: Option<String>,
}
