use std::{fmt, str::FromStr};

use vipnode_types::errors;

use crate::call_refusal::CallRefusal;

/// An Ethereum network, by the id that its nodes report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network(u64);

errors! {
    /// Why a text does not name a network.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum NetworkError {
        /// The text is neither a number nor the name of a public network.
        Unknown {
            /// What was given.
            text: String,
        }: local, "\"{text}\" is not a known network name", hint "Pass a network ID, such as 1.";
    }
}

/// The public networks, including past ones, by the names that the original uses.
const NAMES: [(&str, u64); 9] = [
    ("mainnet", 1),
    ("sepolia", 11_155_111),
    ("holesky", 17_000),
    ("hoodi", 560_048),
    ("morden", 2),
    ("ropsten", 3),
    ("rinkeby", 4),
    ("goerli", 5),
    ("kovan", 42),
];

impl Network {
    /// Checks the network of a node: its chain id, or the network id of protocol 2.
    pub(crate) fn admits(self, network: u64) -> Result<(), CallRefusal> {
        if self.0 == network {
            return Ok(());
        }
        Err(CallRefusal::Network { own: self.to_string(), theirs: Self(network).to_string() })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.iter().find(|(_, id)| *id == self.0) {
            Some((name, _)) => f.write_str(name),
            None => write!(f, "the network {}", self.0),
        }
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let named = NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, id)| *id);
        named.or_else(|| text.parse().ok()).map(Self).ok_or_else(|| NetworkError::Unknown { text: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_a_name_or_an_id() {
        for (text, id) in [("mainnet", 1), ("Sepolia", 11_155_111), ("1337", 1_337), ("rinkeby", 4)] {
            assert_eq!(text.parse(), Ok(Network(id)), "{text}");
        }
        for bad in ["", "main net", "-1", "0x1"] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
        let error = Network(1).admits(1_337).unwrap_err();
        let error = error.to_string();
        assert!(error.contains("mainnet") && error.contains("1337"), "{error}");
    }
}
