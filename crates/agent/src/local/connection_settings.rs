use serde::{Deserialize, Serialize};

/// Which connections an agent allows, so that another command on this machine can reach its pool and node as it does.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConnectionSettings {
    /// Whether it allows `ws://` and `http://` to other machines.
    pub insecure: bool,
    /// Absolute path of the PEM file with the additional CA certificates that it trusts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_ca: Option<String>,
}
