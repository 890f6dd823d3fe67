use vipnode_rpc::TlsFault;

use crate::limits::MAX_ERROR_TEXT;

/// Why a node could not be asked, or not be made to do something. The text says what happened and why;
/// [`NodeError::hint`] says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NodeError {
    /// Nobody there, or the connection broke.
    #[error("no node answers at {at}: {why}")]
    Unreachable {
        /// The address.
        at: String,
        /// The system's words.
        why: String,
    },
    /// The file is there but not for us.
    #[error("{at} is there, but this user may not open it{}", owner_words(.owner.as_deref()))]
    NotPermitted {
        /// The path.
        at: String,
        /// Who owns it, where the system tells.
        owner: Option<String>,
    },
    /// Over TLS: what answers is not who it should be.
    #[error("the node at {at} is not trusted: {}", fault.why())]
    Untrusted {
        /// The address.
        at: String,
        /// What is wrong with its certificate.
        fault: TlsFault,
    },
    /// The node took too long.
    #[error("the node at {at} did not answer {method} within {ms} ms")]
    Expired {
        /// The address.
        at: String,
        /// The method.
        method: String,
        /// The deadline, in milliseconds.
        ms: u128,
    },
    /// HTTP 403: the node dislikes the `Host` or `Origin` header.
    #[error("the node at {at} refuses the host name in this address (HTTP 403)")]
    Forbidden {
        /// The address.
        at: String,
    },
    /// The admin calls are not offered at this address.
    #[error("the node at {at} answers, but does not offer {method} there")]
    NoAdmin {
        /// The address.
        at: String,
        /// The first method that is missing.
        method: String,
    },
    /// The calls `eth_*` are not offered at this address.
    #[error("the node at {at} answers, but does not offer {method} there")]
    NoEth {
        /// The address.
        at: String,
        /// The first method that is missing.
        method: String,
    },
    /// A client that has not this call, whatever it is started with.
    #[error("the node at {at} offers admin calls, but not {method}{}", client_words(.client))]
    NoCall {
        /// The address.
        at: String,
        /// The first method that is missing.
        method: String,
        /// What it calls itself; empty where it does not say.
        client: String,
    },
    /// A client that has to dial whom it lets in, and does not know where.
    #[error("the node at {at} cannot trust a peer, so it has to dial it, and this client tells no address")]
    NoAddress {
        /// The address of the node.
        at: String,
    },
    /// The node said no.
    #[error("the node at {at} refused {method}: {message} ({code})")]
    Refused {
        /// The address.
        at: String,
        /// The method.
        method: String,
        /// Its JSON-RPC code.
        code: i64,
        /// Its words, cut.
        message: String,
    },
    /// An answer that cannot be read.
    #[error("the node at {at} answered {method} with something unexpected: {why}")]
    Answer {
        /// The address.
        at: String,
        /// The method.
        method: String,
        /// What was wrong.
        why: String,
    },
    /// The text given as the node's address is none.
    #[error("{text:?} is no address of a node: {why}")]
    Address {
        /// What was given.
        text: String,
        /// What was wrong.
        why: String,
    },
}

impl NodeError {
    /// The flag or command that fixes it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Unreachable { .. } | Self::Expired { .. } => {
                "start the node, or say where it is: --rpc <path of its IPC file, or http://127.0.0.1:8545>".into()
            }
            Self::NotPermitted { at, owner: Some(owner) } if !owner.contains(' ') => format!(
                "run vipnode as that user: sudo -u {owner} vipnode …; or let its group in: \
                 sudo chgrp $(id -gn) {at} && sudo chmod g+rw {at}"
            ),
            Self::NotPermitted { .. } => {
                "run vipnode as the user that runs the node, or give that user's group access to the file".into()
            }
            Self::Untrusted { fault, .. } => fault.hint().to_owned(),
            Self::Forbidden { at } if at.starts_with("ws") => {
                "use 127.0.0.1 in --rpc, or allow this origin: geth --ws.origins <origin>".into()
            }
            Self::Forbidden { .. } => {
                "use 127.0.0.1 in --rpc, or allow this name: geth --http.vhosts localhost,<name>".into()
            }
            Self::NoAdmin { at, .. } | Self::NoEth { at, .. } => {
                let (flag, besu) = if at.starts_with("ws") {
                    ("--ws --ws.api", "--rpc-ws-api")
                } else {
                    ("--http --http.api", "--rpc-http-api")
                };
                format!(
                    "give the node's IPC file, where all calls answer: --rpc <datadir>/geth.ipc; or start geth, reth \
                     or Erigon with {flag} admin,eth,net,web3, Besu with {besu} ADMIN,ETH,NET,WEB3, Nethermind with \
                     --JsonRpc.EnabledModules Admin,Eth,Net,Web3; on 127.0.0.1 only"
                )
            }
            Self::NoCall { .. } => {
                "run a newer build of it (Erigon since July 2025 has admin_removePeer), or geth, reth, Besu or Nethermind"
                    .to_owned()
            }
            Self::NoAddress { .. } => {
                "the client opens its p2p port and starts its agent with --enode.host <its address>; or the host runs \
                 geth or reth, which let a client in that dials"
                    .to_owned()
            }
            Self::Refused { .. } | Self::Answer { .. } => {
                "try the same call in the node's console; if it works there, please report this".into()
            }
            Self::Address { .. } => {
                "--rpc takes a path (/home/me/.ethereum/geth.ipc), http://host:port or ws://host:port".into()
            }
        }
    }

    /// Whether the node may simply be away, so that trying again later makes sense.
    #[must_use]
    pub const fn is_away(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Expired { .. })
    }
}

fn client_words(client: &str) -> String {
    if client.is_empty() { String::new() } else { format!(" ({client})") }
}

fn owner_words(owner: Option<&str>) -> String {
    owner.map(|owner| format!("; it belongs to {owner}")).unwrap_or_default()
}

/// Text of a stranger, fit for a terminal: no control characters, at most `max` characters.
pub(crate) fn clean(text: &str, max: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(max).collect()
}

/// [`clean`] to the length of an error message.
pub(crate) fn clean_error(text: &str) -> String {
    clean(text, MAX_ERROR_TEXT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_admin_api_names_the_flag_of_the_transport() {
        let error = |at: &str| NodeError::NoAdmin { at: at.into(), method: "admin_peers".into() }.hint();
        assert!(error("http://127.0.0.1:8545").contains("--http.api admin,eth,net,web3"));
        assert!(error("ws://127.0.0.1:8546").contains("--ws.api admin,eth,net,web3"));
    }

    #[test]
    fn strangers_cannot_paint_the_terminal() {
        assert_eq!(clean("a\u{1b}[31mb\nc", 4), "a[31");
    }
}
