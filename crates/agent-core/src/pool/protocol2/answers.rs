//! Translates answers of an original pool to those of protocol 3.

use vipnode_types::{
    Enode, NodeId, Price,
    protocol2::{PeerEntry, Protocol2Reply},
    wire::{AskReply, ErrorCode, LeaseView, LeasedHost, ReportReply, WireError},
};

use super::Protocol2Translation;
use crate::{
    PoolAnswer, limits,
    pool::dialect::{ConnectAccepted, Reported, unexpected},
};

impl Protocol2Translation {
    /// Translates the answer to a connect. The original has no list of leases: the current ones stay.
    pub(in crate::pool) fn connect_reply(
        &self,
        reply: Protocol2Reply,
        current_leases: impl FnOnce() -> Vec<LeaseView>,
    ) -> Result<ConnectAccepted, WireError> {
        let Protocol2Reply::Connect(reply) = reply else { return Err(unexpected()) };
        Ok(ConnectAccepted {
            text: (!reply.message.is_empty()).then_some(reply.message),
            report_interval_ms: self.config.update_interval_ms,
            price: None,
            fee_bps: 0,
            terms: None,
            pool_id: None,
            leases: current_leases(),
            replaced: None,
            no_hosts: None,
            payout: None,
            next_price: None,
            unconfirmed: true,
        })
    }

    /// Translates the answer to an ask. The original returns an error if it has no host; that is not fatal.
    pub(in crate::pool) fn ask_reply(
        &mut self,
        answer: Result<PoolAnswer, WireError>,
        missing: u32,
        avoided: impl Fn(NodeId) -> bool,
    ) -> Result<AskReply, WireError> {
        let peers = match answer {
            Ok(PoolAnswer::Protocol2(Protocol2Reply::Peer(reply))) => reply.peers,
            Ok(_) => return Err(unexpected()),
            // Its errors have only a code and a message.
            Err(error) if error.data.is_none() && !error.is(ErrorCode::MethodNotFound) => {
                return Ok(AskReply { hosts: Vec::new(), missing, reason: Some(error.message) });
            }
            Err(error) => return Err(error),
        };
        let mut hosts = Vec::new();
        for host in peers.iter().take(limits::REPLY_HOSTS).filter_map(endpoint) {
            if avoided(host.id) {
                continue;
            }
            if hosts.len() >= usize::try_from(missing).unwrap_or(usize::MAX) {
                break;
            }
            let client_version = String::new();
            hosts.push(LeasedHost {
                lease: self.new_lease(),
                host,
                price: Price::FREE,
                client_version,
                redial_ms: None,
            });
        }
        let missing = missing.saturating_sub(u32::try_from(hosts.len()).unwrap_or(u32::MAX));
        let why = (missing > 0).then(|| "the pool has no further host at the moment".to_owned());
        Ok(AskReply { hosts, missing, reason: why })
    }
}

/// Translates the answer to an update.
pub(in crate::pool) fn report_reply(reply: Protocol2Reply) -> Result<Reported, WireError> {
    let Protocol2Reply::Update(update) = reply else { return Err(unexpected()) };
    Ok(Reported { reply: ReportReply::default(), update: Some(update) })
}

/// Returns the enode to dial; `None` if the pool contradicts itself or sends no address.
fn endpoint(entry: &PeerEntry) -> Option<Enode> {
    let enode: Enode = entry.uri.parse().ok()?;
    let same = entry.id.is_empty() || entry.id.parse() == Ok(enode.id);
    same.then_some(enode)
}
