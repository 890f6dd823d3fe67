//! Whether a peer is what the user wants: by what the pool told of it, and by what our own node sees.

use vipnode_types::{
    Capability, LeaseId, Ms, PeerFact, PeerRules,
    wire::{EvictReason, HostCapabilities, LeaveReason, Side},
};

use crate::{Action, AgentCore, Notice, limits};

impl AgentCore {
    /// What a host has to serve: what the user says, and `les` where the node is a light one.
    pub(crate) fn needs(&self) -> Vec<Capability> {
        let mut need = self.config.policy.rules.need.clone();
        let light = self.node.facts.as_ref().is_some_and(|facts| !facts.full);
        if light && !need.iter().any(|need| need.name() == "les") {
            need.push(Capability::les());
        }
        need
    }

    /// Looks at a peer of a lease once, as soon as our node sees it: it may be another than its agent said. True
    /// where the lease ends for that.
    pub(crate) fn judge(&mut self, now: Ms, id: LeaseId, peers: &[PeerFact], out: &mut Vec<Action>) -> bool {
        let Some(lease) = self.leases.get_mut(id).filter(|lease| !lease.judged && !id.is_direct()) else {
            return false;
        };
        let (side, peer) = (lease.side, lease.peer.id);
        let Some(fact) = peers.iter().find(|fact| fact.id == peer && fact.ready) else { return false };
        lease.judged = true;
        if side == Side::Client {
            lease.caps.clone_from(&fact.caps);
        }
        let Some(why) = self.misfit(side, fact) else { return false };
        out.push(Action::Notice(Notice::Unsuitable { side, peer, why }));
        if side == Side::Client {
            self.host_failed(now, id, LeaveReason::Mismatch, true, out);
        } else {
            self.leave(id, LeaveReason::Mismatch);
            self.end(id, Some(EvictReason::Unsuitable), out);
        }
        true
    }

    /// What is wrong with a connected peer. One that tells nothing of what it serves is taken at its agent's word.
    fn misfit(&self, side: Side, fact: &PeerFact) -> Option<String> {
        if side == Side::Client && !fact.caps.is_empty() {
            let rules = PeerRules { need: self.needs(), ..PeerRules::default() };
            if let Some(misfit) = rules.misses(&fact.caps) {
                return Some(misfit.to_string());
            }
        }
        self.config.policy.rejects(&fact.client_version)
    }

    /// What hosts serve that the pool was not told yet on this socket.
    pub(crate) fn seen_hosts(&mut self) -> Vec<HostCapabilities> {
        let news =
            |lease: &&mut crate::leases::lease::Lease| lease.stated() && !lease.caps_said && !lease.caps.is_empty();
        let news = self.leases.iter_mut().filter(news).take(limits::SEEN_HOSTS);
        let tell = |lease: &mut crate::leases::lease::Lease| {
            lease.caps_said = true;
            HostCapabilities { lease: lease.id, capabilities: lease.caps.clone() }
        };
        news.map(tell).collect()
    }
}
