use std::net::IpAddr;

use serde_json::value::RawValue;
use vipnode_pool_core::{Command, ConnectionId, Identity, RequestId};
use vipnode_types::{
    PoolMethod,
    wire::{
        AskRequest, ByeRequest, ConnectRequest, DailyStatementRequest, ExplainRequest, FundsRequest, LeaveRequest,
        ReachRequest, ReportRequest, StatementRequest, VoucherRequest, WireError,
    },
};

use crate::{
    auth::SignedParams,
    fairness::PermitClass,
    methods::{
        account_call::AccountCall,
        protocol2::{NodeCall, WalletCall, is_signed_by_node},
    },
};

/// A call, parsed once. Only the check of a signature reads the bytes of the params again.
///
/// An error in the object of a signed call is kept until the caller is known: a stranger gets the error about its
/// signature first.
#[derive(Debug)]
pub(crate) enum ParsedCall<'a> {
    /// Asks whether the pool answers.
    Ping,
    /// Asks for the pool's status.
    Status,
    /// Asks how the pool sees the caller. Signed if it asks whether a connect would be accepted.
    Reach(SignedParams<'a>, Box<ReachRequest>),
    /// A call of an agent in protocol 3.
    Agent(SignedParams<'a>, Result<AgentRequest, WireError>),
    /// A call about an account.
    Account(AccountCall<'a>),
    /// Asks for a page of a statement, of an account or of the caller's node.
    Statement(SignedParams<'a>, Box<StatementRequest>),
    /// Asks for a page of what the pool signs to the caller's node for a day.
    DailyStatement(SignedParams<'a>, DailyStatementRequest),
    /// A call of a node in protocol 2.
    Node(NodeCall<'a>),
    /// A call of a wallet's page in protocol 2.
    Wallet(WalletCall<'a>),
}

/// A call of an agent in protocol 3.
#[derive(Debug)]
pub(crate) enum AgentRequest {
    Connect(Box<ConnectRequest>),
    Report(Box<ReportRequest>),
    Ask(Box<AskRequest>),
    Explain,
    Funds,
    Voucher(Box<VoucherRequest>),
    Leave(Box<LeaveRequest>),
    Bye,
}

/// The sender of an [`AgentRequest`].
#[derive(Debug)]
pub(crate) struct RequestSender {
    pub(crate) connection: ConnectionId,
    pub(crate) identity: Identity,
    pub(crate) address: IpAddr,
    /// Whether the pool can call it (WebSocket) or only answer it (HTTP).
    pub(crate) callable: bool,
}

impl<'a> ParsedCall<'a> {
    pub(crate) fn parse(method: PoolMethod, params: &'a RawValue) -> Result<Self, WireError> {
        let agent = |parse: fn(&SignedParams<'_>) -> Result<AgentRequest, WireError>| {
            let signed = SignedParams::read(params)?;
            let call = parse(&signed);
            Ok(Self::Agent(signed, call))
        };
        match method {
            PoolMethod::Ping => Ok(Self::Ping),
            PoolMethod::Status => Ok(Self::Status),
            PoolMethod::Reach => {
                let signed = SignedParams::read(params)?;
                let request = signed.parse()?;
                Ok(Self::Reach(signed, request))
            }
            PoolMethod::Connect if is_signed_by_node(params) => NodeCall::connect(params).map(Self::Node),
            PoolMethod::Connect => agent(|params| Ok(AgentRequest::Connect(params.parse()?))),
            PoolMethod::Report => agent(|params| Ok(AgentRequest::Report(params.parse()?))),
            PoolMethod::Ask => agent(|params| Ok(AgentRequest::Ask(params.parse()?))),
            PoolMethod::Explain => agent(|params| params.parse().map(|ExplainRequest {}| AgentRequest::Explain)),
            PoolMethod::Funds => agent(|params| params.parse().map(|FundsRequest {}| AgentRequest::Funds)),
            PoolMethod::Voucher => agent(|params| Ok(AgentRequest::Voucher(params.parse()?))),
            PoolMethod::Link => AccountCall::link(params).map(Self::Account),
            PoolMethod::Unlink => AccountCall::unlink(params).map(Self::Account),
            PoolMethod::AccountView => AccountCall::figures(params).map(Self::Account),
            PoolMethod::Statement => {
                let signed = SignedParams::read(params)?;
                let request = signed.parse()?;
                Ok(Self::Statement(signed, request))
            }
            PoolMethod::DailyStatement => {
                let signed = SignedParams::read(params)?;
                let request = signed.parse()?;
                Ok(Self::DailyStatement(signed, request))
            }
            PoolMethod::Payout => AccountCall::payout(params).map(Self::Account),
            PoolMethod::Leave => agent(|params| Ok(AgentRequest::Leave(params.parse()?))),
            PoolMethod::Bye => agent(|params| params.parse().map(|ByeRequest {}| AgentRequest::Bye)),
            PoolMethod::Update => NodeCall::update(params).map(Self::Node),
            PoolMethod::Peer => NodeCall::peer(params).map(Self::Node),
            PoolMethod::Host => NodeCall::host(params).map(Self::Node),
            PoolMethod::Client => NodeCall::client(params).map(Self::Node),
            PoolMethod::Account => WalletCall::account(params).map(Self::Wallet),
            PoolMethod::AddNode => WalletCall::add_node(params).map(Self::Wallet),
            PoolMethod::Withdraw => WalletCall::withdraw(params).map(Self::Wallet),
        }
    }
}

impl AgentRequest {
    pub(crate) const fn permit_class(&self) -> PermitClass {
        match self {
            Self::Connect(_) => PermitClass::Connect,
            Self::Report(_) => PermitClass::Report,
            // It writes, as these do.
            Self::Voucher(_) => PermitClass::Connect,
            Self::Ask(_) | Self::Explain | Self::Funds | Self::Leave(_) | Self::Bye => PermitClass::Other,
        }
    }

    /// Replaces the address that a connecting node claims by the one that the pool observed.
    pub(crate) fn drop_claimed_address(&mut self, observed: IpAddr) {
        if let Self::Connect(hello) = self {
            hello.enode = hello.enode.as_ref().map(|enode| enode.with_ip(observed));
        }
    }

    #[expect(clippy::needless_pass_by_value, reason = "a request is named once, by the command that it becomes")]
    pub(crate) fn command(self, sender: RequestSender, request: RequestId) -> Command {
        let RequestSender { connection, identity, address, callable } = sender;
        match self {
            Self::Connect(hello) => Command::Connect { connection, request, identity, address, callable, hello },
            Self::Report(report) => Command::Report { connection, request, report },
            Self::Ask(ask) => Command::Ask { connection, request, ask },
            Self::Explain => Command::Explain { connection, request },
            Self::Funds => Command::Funds { connection, request },
            Self::Voucher(voucher) => Command::Voucher { connection, request, voucher },
            Self::Leave(leave) => Command::Leave { connection, request, leave },
            Self::Bye => Command::Bye { connection, request },
        }
    }
}

#[cfg(test)]
mod tests {
    use vipnode_types::wire::ErrorCode;

    use super::*;

    fn parsed(name: &str, params: &str) -> Result<String, WireError> {
        let params = serde_json::from_str::<Box<RawValue>>(params).unwrap();
        let request = ParsedCall::parse(PoolMethod::named(name).unwrap(), &params)?;
        Ok(format!("{request:?}").split(['(', ' ']).next().unwrap().to_owned())
    }

    #[test]
    fn the_first_param_of_a_connect_decides_its_protocol() {
        assert_eq!(parsed("vipnode_connect", r#" [ "sig","id",1,{}]"#).unwrap(), "Node");
        for params in [r#"[{"protocol":3},{}]"#, "[]", "{}"] {
            let error = parsed("vipnode_connect", params).unwrap_err();
            assert!(error.is(ErrorCode::InvalidParams) && !error.message.contains("nonce"), "{params}: {error}");
        }
        assert!(parsed("vipnode_update", "[]").unwrap_err().message.contains("nonce"), "protocol 2");
        assert_eq!(parsed("vipnode_explain", "[{}]").unwrap(), "Agent");
        assert_eq!(parsed("vipnode_report", r#"["x"]"#).unwrap(), "Agent", "its error is kept");
    }
}
