use vipnode_types::{
    Account, ChainSpec, Enode, EnodeHost, Price, percent,
    protocol2::{
        ClientRequest, HostReply, HostRequest, Kind, Protocol2ConnectReply, Protocol2ConnectRequest, Protocol2Reply,
    },
    wire::{NextPrice, WireError},
};

use super::{super::POOL_VERSION, PORT, Protocol2Caller, reply};
use crate::{
    Core, NewPayout, RequestId, Signer,
    agents::{hello::Hello, listen_address::ListenAddress, node::Node},
    core_error::CoreError,
    output::Output,
};

/// The network of agents too old to send one.
const MAINNET: i64 = 1;
/// Hosts for an old client that did not send a number.
const NUM_HOSTS: i64 = 3;

/// The description of a node that the connecting calls have in common.
struct Protocol2Hello<'a> {
    kind: Kind,
    full: bool,
    network: i64,
    payout: &'a str,
    node_uri: &'a str,
    agent_version: &'a str,
    client_version: &'a str,
}

impl Core {
    pub(super) fn connect2(
        &mut self,
        output: &mut Output,
        caller: &Protocol2Caller,
        request: RequestId,
        hello: &Protocol2ConnectRequest,
    ) -> Result<(), WireError> {
        let described = Protocol2Hello {
            kind: hello.node_info.kind,
            full: hello.node_info.is_full_node,
            network: hello.node_info.network,
            payout: &hello.payout,
            node_uri: &hello.node_uri,
            agent_version: &hello.vipnode_version,
            client_version: &hello.node_info.version,
        };
        self.enter2(output, caller, &described)?;
        let (pool_version, message) = (POOL_VERSION.to_owned(), self.price_text());
        let welcome = Protocol2ConnectReply { pool_version, message, ..Protocol2ConnectReply::default() };
        output.reply_durably(caller.connection, request, reply(Protocol2Reply::Connect(welcome)));
        Ok(())
    }

    pub(super) fn host2(
        &mut self,
        output: &mut Output,
        caller: &Protocol2Caller,
        request: RequestId,
        hello: &HostRequest,
    ) -> Result<(), WireError> {
        if !caller.callable {
            return Err(CoreError::HostOverHttp.into());
        }
        let (payout, node_uri) = (hello.payout.as_str(), hello.node_uri.as_str());
        self.enter2(output, caller, &Protocol2Hello { full: true, payout, node_uri, ..older(&hello.kind) })?;
        let welcome = HostReply { pool_version: POOL_VERSION.to_owned() };
        output.reply_durably(caller.connection, request, reply(Protocol2Reply::Host(welcome)));
        Ok(())
    }

    pub(super) fn client2(
        &mut self,
        output: &mut Output,
        caller: &Protocol2Caller,
        request: RequestId,
        hello: &ClientRequest,
    ) -> Result<(), WireError> {
        let described = older(&hello.kind);
        let index = self.enter2(output, caller, &described)?;
        let num = if hello.num_hosts == 0 { NUM_HOSTS } else { hello.num_hosts };
        self.ask2(output, index, (caller.connection, request), num, described.kind, true)
    }

    fn enter2(
        &mut self,
        output: &mut Output,
        caller: &Protocol2Caller,
        described: &Protocol2Hello<'_>,
    ) -> Result<u32, WireError> {
        self.may_connect(caller)?;
        let endpoint = endpoint(caller, described.node_uri)?;
        let payout = self.ordered_payout(caller, described.payout, output)?;
        let chain = self.chain_of(caller, described.network)?;
        let known = self.agents.known(&caller.node);
        // A full node has to ask once before it counts as a client.
        let hosts = described.full && caller.callable;
        let asks = !hosts || known.is_some_and(|node| node.ever_client());
        let signer = Signer::NodeKey { nonce: caller.nonce, kind: described.kind, full: described.full };
        let credentials = self.agents.credentials_with(&caller.node, signer);
        let index = self.node_on(output, (caller.node, caller.address), chain, &credentials)?;
        let hello = Hello {
            dials_late: false,
            credentials,
            endpoint: Some(endpoint),
            host: hosts.then_some((self.limits.slots_a_protocol2_host, payout)),
            no_trials: false,
            client: asks,
            max_price: None,
            agent_version: described.agent_version,
            client_version: described.client_version,
            serves: &[],
            need: &[],
            min_versions: &[],
        };
        let _protocol2_cannot_say_so =
            self.present(output, index, caller.connection, (caller.address, caller.callable), hello);
        self.ask_prices_again(output, index);
        Ok(index)
    }

    /// The payout account of a connect, which the node key signed, as an order; `None` if it is known: each connect names the
    /// account, and must not cancel a newer order of protocol 3.
    fn ordered_payout(
        &self,
        caller: &Protocol2Caller,
        text: &str,
        output: &Output,
    ) -> Result<Option<NewPayout>, WireError> {
        if text.is_empty() {
            return Ok(None);
        }
        let account: Account = text.parse().map_err(|source| CoreError::Payout { source })?;
        let order = NewPayout { account, counter: output.now };
        order.check(output.now, &self.limits)?;
        let known = self.agents.known(&caller.node).and_then(Node::host_payout);
        let is_known = known
            .is_some_and(|payout| payout.account == account || payout.next.is_some_and(|(next, _)| next == account));
        Ok((!is_known).then_some(order))
    }

    /// The price, and what was announced, in words: protocol 2 has no field for them. Empty while nobody pays.
    fn price_text(&self) -> String {
        if self.ledger.is_none() {
            return String::new();
        }
        let words = |price: Price, fee_bps: u16| match fee_bps {
            0 => price.in_sentence(),
            _ => format!("{} (of which the pool keeps {})", price.in_sentence(), percent(fee_bps)),
        };
        let now = words(self.limits.price, self.limits.fee_bps);
        match self.next_price() {
            None => format!("A slot costs {now}."),
            Some(NextPrice { price, fee_bps, from_ms }) => {
                format!("A slot costs {now}, and {} from {}.", words(price, fee_bps), from_ms.rfc3339_seconds())
            }
        }
    }

    /// Returns the chain for a network id: a public one, or the one that the node itself named before; else one whose
    /// genesis is unknown, see [`ChainVotes`](crate::agents::chain_votes::ChainVotes).
    fn chain_of(&self, caller: &Protocol2Caller, network: i64) -> Result<ChainSpec, WireError> {
        let chain_id = u64::try_from(network).map_err(|_| CoreError::Network { network })?;
        let pinned = self.limits.pinned_chain(chain_id);
        let public = ChainSpec::public(chain_id);
        let before = self.agents.known(&caller.node).and_then(|node| self.agents.chain(node.chain()).copied());
        let named = before.filter(|chain| chain.chain_id == chain_id && !chain.lacks_genesis());
        let known = public.or(named).filter(|chain| pinned.is_none_or(|pinned| pinned == *chain));
        Ok(known.unwrap_or(ChainSpec::without_genesis(chain_id)))
    }
}

fn older(kind: &str) -> Protocol2Hello<'_> {
    Protocol2Hello {
        kind: Kind::named(kind),
        full: false,
        network: MAINNET,
        payout: "",
        node_uri: "",
        agent_version: "",
        client_version: "",
    }
}

/// Returns where the node listens: as it claims, or else on the usual port of its remote address.
fn endpoint(caller: &Protocol2Caller, node_uri: &str) -> Result<ListenAddress, WireError> {
    if node_uri.is_empty() {
        return Ok(ListenAddress::of(&Enode { id: caller.node, host: EnodeHost::None, port: PORT, disc_port: None }));
    }
    // Some agents omit the host if the node does not know it.
    let node_uri = node_uri.replacen("@:", "@[::]:", 1);
    let enode: Enode = node_uri.parse().map_err(|source| CoreError::NodeUri { source })?;
    if enode.id != caller.node {
        return Err(CoreError::ForeignEnode.into());
    }
    Ok(ListenAddress::of(&if enode.port == 0 { Enode { port: PORT, ..enode } } else { enode }))
}
