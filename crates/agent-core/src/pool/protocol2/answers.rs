//! What a pool of the original answers, in the words of protocol 3.

use std::collections::BTreeSet;

use vipnode_types::{
    Enode, Ms, NodeId, Price,
    protocol2::{self, PeerEntry, Reply, UpdateReply},
    wire::{AskReply, ConnectReply, ErrorCode, EvictReason, LeaseView, LeasedHost, ReportReply, WireError},
};

use crate::{Action, AgentCore, Notice, PoolAnswer, leases::lease::Lease, limits, pool::link::odd};

impl AgentCore {
    /// The welcome. The original keeps no list of leases: those that stand here go on, but for what is unclear.
    pub(crate) fn connect_reply(&self, answer: PoolAnswer) -> Result<ConnectReply, WireError> {
        let Some(protocol2) = &self.protocol2 else {
            return if let PoolAnswer::Connect(reply) = answer { Ok(*reply) } else { Err(odd()) };
        };
        let PoolAnswer::Protocol2(Reply::Connect(reply)) = answer else { return Err(odd()) };
        let goes_on = |lease: &&Lease| lease.runs() && !lease.id.is_direct() && !self.is_unclear(lease);
        let standing = self.leases.iter().filter(goes_on);
        let view = |lease: &Lease| LeaseView {
            lease: lease.id,
            side: lease.side,
            peer: lease.peer.clone(),
            price: Price::FREE,
        };
        Ok(ConnectReply {
            pool_version: reply.pool_version,
            welcome: (!reply.message.is_empty()).then_some(reply.message),
            report_interval_ms: protocol2.config.update_interval_ms,
            price: Price::FREE,
            leases: standing.map(view).collect(),
        })
    }

    /// The answer to a report, after what else it says was done.
    pub(crate) fn report_reply(
        &mut self,
        now: Ms,
        answer: PoolAnswer,
        out: &mut Vec<Action>,
    ) -> Result<ReportReply, WireError> {
        if self.protocol2.is_none() {
            return if let PoolAnswer::Report(reply) = answer { Ok(reply) } else { Err(odd()) };
        }
        let PoolAnswer::Protocol2(Reply::Update(reply)) = answer else { return Err(odd()) };
        self.drop_invalid(&reply, out);
        self.drop_unconfirmed(&reply, out);
        self.say_behind(reply.latest_block_number, out);
        self.say_balance(now, reply.balance, out);
        Ok(ReportReply::default())
    }

    /// Peers that the pool takes back. What the agent did not bring it leaves alone.
    fn drop_invalid(&mut self, reply: &UpdateReply, out: &mut Vec<Action>) {
        for id in reply.invalid_peers.iter().take(limits::REPLY_LEASES).filter_map(|id| id.parse::<NodeId>().ok()) {
            for lease in self.leases.ids(|lease| lease.peer.id == id && lease.runs() && !lease.id.is_direct()) {
                self.end(lease, Some(EvictReason::Disconnected), out);
                self.asks.soon(self.now);
            }
        }
    }

    /// A lease of an earlier run whose peer was named, and of which the pool knows nothing: it ended meanwhile.
    fn drop_unconfirmed(&mut self, reply: &UpdateReply, out: &mut Vec<Action>) {
        let reports = &self.reports;
        let named = self.leases.ids(|lease| lease.unconfirmed && lease.runs() && reports.names(lease.id));
        if named.is_empty() {
            return;
        }
        let active = reply.active_peers.iter().take(limits::REPLY_LEASES).filter_map(|uri| uri.parse::<Enode>().ok());
        let active: BTreeSet<NodeId> = active.map(|enode| enode.id).collect();
        for id in named {
            let Some(lease) = self.leases.get_mut(id) else { continue };
            if active.contains(&lease.peer.id) {
                lease.unconfirmed = false;
            } else {
                self.end(id, Some(EvictReason::Unknown), out);
                self.asks.soon(self.now);
            }
        }
    }

    /// Says once that the node is behind, and once that it caught up.
    fn say_behind(&mut self, latest: u64, out: &mut Vec<Action>) {
        let Some(head) = self.node.head.filter(|_| latest > 0) else { return };
        let Some(protocol2) = &mut self.protocol2 else { return };
        let blocks = latest.saturating_sub(head.fact.number);
        let behind = blocks > limits::BEHIND_BLOCKS;
        if std::mem::replace(&mut protocol2.behind, behind) != behind {
            out.push(Action::Notice(if behind {
                Notice::Behind { blocks, latest }
            } else {
                Notice::CaughtUp { latest }
            }));
        }
    }

    /// Says what the account has (D41), at once and then now and again.
    fn say_balance(&mut self, now: Ms, balance: Option<protocol2::Balance>, out: &mut Vec<Action>) {
        let Some(protocol2) = &mut self.protocol2 else { return };
        let Some(balance) = balance else { return };
        let fresh = |(said, at): &(protocol2::Balance, Ms)| {
            now.since(*at) < limits::BALANCE_MS || (said.credit, said.deposit) == (balance.credit, balance.deposit)
        };
        if protocol2.balance_said.as_ref().is_some_and(fresh) {
            return;
        }
        out.push(Action::Notice(Notice::Balance { credit_wei: balance.credit, deposit_wei: balance.deposit }));
        protocol2.balance_said = Some((balance, now));
    }

    /// The answer to an ask. That there is no host is an error of the original, and not fatal (A19).
    pub(crate) fn ask_reply(&mut self, answer: Result<PoolAnswer, WireError>) -> Result<AskReply, WireError> {
        let missing = self.missing_hosts();
        let Some(protocol2) = &mut self.protocol2 else {
            return answer.and_then(|a| if let PoolAnswer::Ask(reply) = a { Ok(reply) } else { Err(odd()) });
        };
        let peers = match answer {
            Ok(PoolAnswer::Protocol2(Reply::Peer(reply))) => reply.peers,
            Ok(_) => return Err(odd()),
            // Its errors have a code and a sentence and nothing else.
            Err(error) if error.data.is_none() && !error.is(ErrorCode::MethodNotFound) => {
                return Ok(AskReply { hosts: Vec::new(), missing, reason: Some(error.message) });
            }
            Err(error) => return Err(error),
        };
        let mut hosts = Vec::new();
        for host in peers.iter().take(limits::REPLY_HOSTS).filter_map(place) {
            if self.avoid.contains(host.id, self.now) {
                continue;
            }
            if hosts.len() >= usize::try_from(missing).unwrap_or(usize::MAX) {
                break;
            }
            let client_version = String::new();
            hosts.push(LeasedHost { lease: protocol2.new_lease(), host, price: Price::FREE, client_version });
        }
        let missing = missing.saturating_sub(u32::try_from(hosts.len()).unwrap_or(u32::MAX));
        let why = (missing > 0).then(|| "the pool has no further host at the moment".to_owned());
        Ok(AskReply { hosts, missing, reason: why })
    }
}

/// Where a peer is dialled; `None` where the pool contradicts itself or names no address.
fn place(entry: &PeerEntry) -> Option<Enode> {
    let enode: Enode = entry.uri.parse().ok()?;
    let same = entry.id.is_empty() || entry.id.parse() == Ok(enode.id);
    same.then_some(enode)
}
