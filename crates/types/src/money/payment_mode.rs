use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::errors;

/// The way in which clients of a pool pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum PaymentMode {
    /// Leases are metered, and nothing is owed.
    #[default]
    None,
    /// The operator records payers' payments and credit limits, and pays hosts outside of the pool.
    Credit,
    /// Clients deposit into x402 payment channels on a chain, and their agents sign vouchers.
    X402,
    /// A mode that this release does not know, from a newer pool.
    #[serde(other)]
    Unknown,
}

errors! {
    /// Why a text is not a [`PaymentMode`].
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum PaymentModeError {
        /// The payment mode is mistyped, or belongs to another version of vipnode.
        Unknown: local, "not a valid payment mode", hint "Use none, credit, or x402.";
    }
}

impl PaymentMode {
    /// Every payment mode that a pool can be set to.
    pub const ALL: [Self; 3] = [Self::None, Self::Credit, Self::X402];

    /// Its name on the command line, on the wire, and in a store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Credit => "credit",
            Self::X402 => "x402",
            Self::Unknown => "unknown",
        }
    }

    /// Whether nothing is owed.
    #[must_use]
    pub const fn is_none(self) -> bool {
        matches!(self, Self::None)
    }
}

impl fmt::Display for PaymentMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for PaymentMode {
    type Err = PaymentModeError;

    fn from_str(text: &str) -> Result<Self, PaymentModeError> {
        Self::ALL.into_iter().find(|mode| mode.name() == text).ok_or(PaymentModeError::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mode_is_read_by_its_name() {
        for mode in PaymentMode::ALL {
            assert_eq!(mode.to_string().parse(), Ok(mode));
            assert_eq!(serde_json::to_value(mode).unwrap(), mode.name());
        }
        for text in ["cash", "unknown"] {
            assert_eq!(text.parse::<PaymentMode>(), Err(PaymentModeError::Unknown), "{text}");
        }
    }
}
