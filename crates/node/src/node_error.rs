use std::io::ErrorKind;

use vipnode_rpc::CertificateProblem;
use vipnode_types::{errors, sanitize};

use crate::{AnswerError, FileOwner, limits::MAX_ERROR_TEXT};

errors! {
    /// Why a call to a node failed.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum NodeError {
        /// Nothing is listening on the address, or the connection was lost.
        Unreachable {
            /// The node's RPC address, without credentials.
            at: String,
            /// How the system classifies it; [`ErrorKind::Other`] where it does not.
            kind: ErrorKind,
            /// What the system reports.
            why: String,
        }: local, "no node responds at {at}: {why}",
            hint "Start the node, or pass its address: --rpc FILE.ipc, or --rpc http://127.0.0.1:8545 if it has an HTTP RPC (geth --http).";
        /// The permissions of the IPC file do not include this user.
        NotPermitted {
            /// Path of the IPC socket.
            at: String,
            /// Who owns it, where the system reports that.
            owner: Option<FileOwner>,
        }: local, "{at} exists, but this user cannot open it{owned}" (owned = owned_by(owner.as_ref())),
            hint "Run vipnode as the user that runs the node, or give that user's group access to the file.";
        /// The IPC file belongs to another user on this machine.
        OtherUser {
            /// Path of the IPC socket.
            at: String,
            /// The user's name.
            user: String,
        }: local, "{at} exists, but this user cannot open it; it belongs to {user}",
            hint "Run vipnode as that user (sudo -u {user} vipnode …), or give your group access: \
                  sudo chgrp $(id -gn) {at} && sudo chmod g+rw {at}.";
        /// The address uses TLS, and the check of the server's certificate failed.
        Untrusted {
            /// The node's RPC address, without credentials.
            at: String,
            /// What is wrong with its certificate.
            fault: CertificateProblem,
        }: local, "the node at {at} is not trusted: {fault}", hint_of fault;
        /// The node is suspended or overloaded, or needs more time for this call.
        Expired {
            /// The node's RPC address, without credentials.
            at: String,
            /// The JSON-RPC method that was called.
            method: String,
            /// The deadline, in milliseconds.
            ms: u128,
        }: local, "the node at {at} did not answer {method} within {ms} ms",
            hint "Check that the node's process is running and is not suspended or overloaded, or pass another address: \
                  --rpc FILE.ipc or --rpc http://127.0.0.1:8545. If it is slow, wait longer: --limit node_call=20s.";
        /// The node answers HTTP 403, because it does not accept the `Host` header.
        HostRefused {
            /// The node's RPC address, without credentials.
            at: String,
        }: local, "the node at {at} rejected the host name in this address (HTTP 403)",
            hint "Use 127.0.0.1 in --rpc, or allow this name: geth --http.vhosts localhost,NAME.";
        /// The node answers HTTP 401, because this is the port of its consensus client.
        EnginePort {
            /// The node's RPC address, without credentials.
            at: String,
        }: local, "the node at {at} requires a token (HTTP 401), as on the engine port for its consensus client",
            hint "Pass the node's RPC port or IPC file instead: --rpc http://127.0.0.1:8545 or --rpc DATADIR/geth.ipc.";
        /// A server answered with an unexpected HTTP status. It may be a proxy or another program.
        HttpStatus {
            /// The node's RPC address, without credentials.
            at: String,
            /// The HTTP status code of the response.
            status: u16,
            /// The first line of its answer; empty where there is none.
            body: String,
        }: local, "the server at {at} answered with HTTP status {status}{said}" (said = after_colon(body)),
            hint "{fix}" (fix = status_fix(*status));
        /// A server redirects to another address. vipnode does not follow redirects.
        Redirected {
            /// The node's RPC address, without credentials.
            at: String,
            /// The HTTP status code of the response.
            status: u16,
            /// Where it leads, without a query.
            to: String,
        }: local, "the server at {at} redirects to {to} (HTTP status {status}); redirects are not followed",
            hint "If the node answers there, pass that address: --rpc {to}.";
        /// A web server answers with a web page instead of JSON-RPC.
        WebPage {
            /// The node's RPC address, without credentials.
            at: String,
        }: local, "a web page answers at {at}, not a node",
            hint "Pass the node's RPC port or IPC file instead: --rpc http://127.0.0.1:8545 or --rpc DATADIR/geth.ipc.";
        /// The node answers the WebSocket handshake with HTTP 403, because it does not accept the `Origin` header.
        OriginRefused {
            /// The node's RPC address, without credentials.
            at: String,
        }: local, "the node at {at} refuses the origin of this connection (HTTP 403)",
            hint "Use 127.0.0.1 in --rpc, or allow this origin: geth --ws.origins ORIGIN.";
        /// The `admin_*` or the `eth_*` calls are not offered at this address.
        NotOffered {
            /// The node's RPC address, without credentials.
            at: String,
            /// The first method that is missing.
            method: String,
        }: local, "the node at {at} responds but does not offer {method} there",
            hint "Pass the node's IPC file, which serves all methods: --rpc DATADIR/geth.ipc. Or start geth, reth, or \
                  Erigon with {flag} admin,eth,net,web3, Besu with {besu} ADMIN,ETH,NET,WEB3, or Nethermind with \
                  --JsonRpc.EnabledModules Admin,Eth,Net,Web3 (on 127.0.0.1 only)."
                (flag = api_flag(at), besu = besu_flag(at));
        /// The execution client does not support this method, regardless of its flags.
        NoCall {
            /// The node's RPC address, without credentials.
            at: String,
            /// The first method that is missing.
            method: String,
            /// What the client calls itself; empty where it does not say.
            client: String,
        }: local, "the node at {at} offers admin calls, but not {method}{named}" (named = in_brackets(client)),
            hint "Run a newer build of this execution client (Erigon has admin_removePeer since July 2025), or run geth, reth, \
                  Besu, or Nethermind.";
        /// The node must dial the peers that it admits, and this peer's address is unknown.
        NoAddress {
            /// The address of the node.
            at: String,
        }: Refused, "the node at {at} does not support trusted peers, so it has to dial this peer, but the peer has no \
                   address to dial",
            hint "Open the client's p2p port and start its agent with --enode.host ADDRESS, or run geth or reth on \
                  the host, which admit a client that dials.";
        /// The node answered with a JSON-RPC error.
        Refused {
            /// The node's RPC address, without credentials.
            at: String,
            /// The JSON-RPC method that was called.
            method: String,
            /// Its JSON-RPC code.
            code: i64,
            /// Its message, shortened.
            message: String,
        }: Refused, "the node at {at} refused {method}: {message} ({code})",
            hint "Try the same call in the node's console. If it works there, please report this.";
        /// The node's response does not have the format that vipnode expects.
        Answer {
            /// The node's RPC address, without credentials.
            at: String,
            /// The JSON-RPC method that was called.
            method: String,
            /// What is wrong.
            why: AnswerError,
        }: local, "the node at {at} returned an unexpected response to {method}: {why}",
            hint_of why;
        /// The node has no newest block: it is still reading its database, or has not begun to sync.
        NoBlock {
            /// The node's RPC address, without credentials.
            at: String,
        }: local, "the node at {at} has no block yet",
            hint "Wait until the node has read its database or has begun to sync; its log shows what it is doing.";
        /// The value of --rpc is neither a path nor a valid URL.
        Address {
            /// What was given.
            text: String,
            /// What is wrong.
            why: String,
        }: local, "{text:?} is not the address of a node: {why}",
            hint "Pass a path (/home/me/.ethereum/geth.ipc), http://HOST:PORT, or ws://HOST:PORT to --rpc.";
    }
}

impl NodeError {
    /// Whether the node answers, and may have its chain later: it reads its database, or has not begun to sync.
    #[must_use]
    pub fn is_without_chain(&self) -> bool {
        match self {
            Self::NoBlock { .. } => true,
            Self::Answer { why, .. } => matches!(why, AnswerError::NoHash | AnswerError::NoChainId),
            Self::Refused { method, .. } => method == "eth_getBlockByNumber",
            _ => false,
        }
    }

    /// Whether the node may simply be offline, so that trying again later makes sense.
    #[must_use]
    pub const fn is_offline(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Expired { .. } => true,
            Self::HttpStatus { status, .. } => matches!(status, 429 | 500 | 502..=504),
            _ => false,
        }
    }
}

fn after_colon(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(": {text}") }
}

/// What to do about an HTTP status that is not a success.
const fn status_fix(status: u16) -> &'static str {
    match status {
        300..=399 => "Pass the address that the redirect leads to: --rpc URL.",
        404 => {
            "Check the path and the port in --rpc; the node's IPC file works without either: --rpc DATADIR/geth.ipc."
        }
        405 => "Pass an address that accepts JSON-RPC by POST, such as --rpc http://127.0.0.1:8545.",
        429 => "The server reports too many requests: raise its rate limit, or pass the node's own address with --rpc.",
        500..=599 => "Start the node behind the proxy, or pass the node's own address: --rpc http://127.0.0.1:8545.",
        _ => "Pass the node's own address: --rpc FILE.ipc or --rpc http://127.0.0.1:8545.",
    }
}

/// geth's flag that offers an API at this address.
fn api_flag(at: &str) -> &'static str {
    if at.starts_with("ws") { "--ws --ws.api" } else { "--http --http.api" }
}

/// Besu's flag that offers an API at this address.
fn besu_flag(at: &str) -> &'static str {
    if at.starts_with("ws") { "--rpc-ws-api" } else { "--rpc-http-api" }
}

fn in_brackets(client: &str) -> String {
    if client.is_empty() { String::new() } else { format!(" ({client})") }
}

fn owned_by(owner: Option<&FileOwner>) -> String {
    owner.map(|owner| format!("; it belongs to {owner}")).unwrap_or_default()
}

/// A stranger's text, cut to the length of an error message.
pub(crate) fn clean_error(text: &str) -> String {
    sanitize(text, MAX_ERROR_TEXT)
}

#[cfg(test)]
mod tests {
    use vipnode_types::TypedError;

    use super::*;

    #[test]
    fn a_missing_admin_api_names_the_flag_of_the_transport() {
        let error = |at: &str| NodeError::NotOffered { at: at.into(), method: "admin_peers".into() }.hint().unwrap();
        assert!(error("http://127.0.0.1:8545").contains("--http.api admin,eth,net,web3"));
        assert!(error("ws://127.0.0.1:8546").contains("--ws.api admin,eth,net,web3"));
    }

    #[test]
    fn strangers_cannot_paint_the_terminal() {
        assert_eq!(clean_error("a\u{1b}[31mb\nc\u{9b}\u{202e}"), "a [31mb c  ");
    }
}
