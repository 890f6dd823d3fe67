//! Attackers of the hostile group that have hosts and clients of their own, all in one address block. What they send is
//! allowed. They are on a chain of their own, because the agents that are measured answer no calls.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};
use vipnode_types::{
    Capability, LeaseId, LeaseSetHash,
    wire::{AskRequest, HostCapabilities, LeaveReason, LeaveRequest, PairFault, ReportRequest, UpLease, method},
};

use super::{load_agent::LoadAgent, ws_client::WsClient};

/// What attackers with hosts and clients of their own do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Party {
    /// Hosts that admit every client and connect with none.
    SilentHosts,
    /// Hosts and clients that report invented versions, capabilities, and faults.
    Liars,
    /// Clients that use leases without being billed.
    FreeRiders,
    /// Hosts that report clients as connected that never connect.
    FalseHosts,
}

/// Hosts of a party; its other sockets are clients.
const HOSTS: u32 = 40;
/// Sockets of a party.
pub(crate) const SOCKETS: u32 = 100;
/// The time between two acts of a socket, which is within its rate limit.
const ACT_EVERY: Duration = Duration::from_millis(60);
/// Acts between two reports of a host that only has to stay connected.
const IDLE_ACTS: u32 = 400;
/// Leases that a socket remembers.
const LEASES: usize = 16;
const SLOTS: u32 = 60;
const CHAIN: u64 = 66;

struct PartySocket {
    party: Party,
    host: bool,
    wire: WsClient,
    seq: u32,
    acts: u32,
    asks: bool,
    leases: Vec<LeaseId>,
}

/// Runs one socket of a party until it is closed.
pub(crate) async fn run(party: Party, pool: SocketAddr, number: u32, from: IpAddr) -> io::Result<()> {
    let host = number < HOSTS;
    let agent = LoadAgent::new(number.saturating_add(0x00d0_0000))?;
    let mut hello = agent.hello(host.then_some(SLOTS));
    hello.chain.chain_id = CHAIN;
    if party == Party::Liars {
        hello.client_version = format!("Geth/v9.{number}");
        hello.capabilities = capabilities(&[&format!("own/{number}"), "eth/69"])?;
    }
    let mut wire = WsClient::open(pool, from).await?;
    let params = agent.signed(&format!("ws://{pool}"), &wire.challenge, &hello)?;
    wire.call(method::CONNECT, &params).await?;
    let mut attacker = PartySocket { party, host, wire, seq: 0, acts: 0, asks: false, leases: Vec::new() };
    loop {
        attacker.act().await?;
        let until = Instant::now() + ACT_EVERY;
        while let Ok(message) = timeout_at(until, attacker.wire.next()).await {
            let message = serde_json::from_str(message?)?;
            attacker.take(&message).await?;
        }
    }
}

fn capabilities(names: &[&str]) -> io::Result<Vec<Capability>> {
    names.iter().map(|name| name.parse().map_err(io::Error::other)).collect()
}

impl PartySocket {
    async fn act(&mut self) -> io::Result<()> {
        let first_of_many = self.acts.is_multiple_of(IDLE_ACTS);
        self.acts = self.acts.wrapping_add(1);
        match (self.party, self.host) {
            (Party::SilentHosts, true) if first_of_many => self.report(&[], true).await,
            (Party::SilentHosts, true) => Ok(()),
            (Party::Liars | Party::FreeRiders | Party::FalseHosts, true) => self.report_all(true).await,
            (_, false) if self.leases.is_empty() => self.ask().await,
            (Party::SilentHosts, false) => self.leave(LeaveReason::Surplus, None).await,
            (Party::Liars, false) => {
                self.report_all(true).await?;
                self.leave(LeaveReason::Mismatch, Some(PairFault::Genesis)).await
            }
            // Each report begins another row.
            (Party::FreeRiders, false) => self.report_all(false).await,
            (Party::FalseHosts, false) if first_of_many => self.report(&[], true).await,
            (Party::FalseHosts, false) => self.ask().await,
        }
    }

    async fn ask(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.asks, true) {
            return Ok(());
        }
        let ask = AskRequest { want: 8, avoid: Vec::new() };
        self.begin(method::ASK, serde_json::to_string(&[ask])).await
    }

    async fn leave(&mut self, reason: LeaveReason, fault: Option<PairFault>) -> io::Result<()> {
        let leases = std::mem::take(&mut self.leases);
        let leave = LeaveRequest { leases, reason, fault };
        self.begin(method::LEAVE, serde_json::to_string(&[leave])).await
    }

    async fn report_all(&mut self, continuous: bool) -> io::Result<()> {
        let leases = self.leases.clone();
        self.report(&leases, continuous).await
    }

    async fn report(&mut self, leases: &[LeaseId], continuous: bool) -> io::Result<()> {
        self.seq = self.seq.saturating_add(1);
        let invented = capabilities(&["eth/999", "snap/999", "les/999"])?;
        let seen = leases.iter().filter(|_| self.party == Party::Liars);
        let seen = seen.map(|lease| HostCapabilities { lease: *lease, capabilities: invented.clone() });
        let report = ReportRequest {
            seq: self.seq,
            full: Some(leases.iter().map(|lease| UpLease { lease: *lease, continuous }).collect()),
            hash: Some(LeaseSetHash::of(leases.iter().copied())),
            host_capabilities: seen.collect(),
            ..ReportRequest::default()
        };
        self.begin(method::REPORT, serde_json::to_string(&[report])).await
    }

    async fn begin(&mut self, method: &str, params: serde_json::Result<String>) -> io::Result<()> {
        self.wire.begin(method, &params?).await.map(drop)
    }

    /// Answers a call, or takes the leases of an answer.
    async fn take(&mut self, message: &Value) -> io::Result<()> {
        if let Some(called) = message.get("method").and_then(Value::as_str) {
            let lease = message.pointer("/params/0/lease").or_else(|| message.pointer("/params/lease"));
            if let Some(lease) = lease.and_then(lease_id) {
                self.leases.retain(|other| *other != lease);
                self.leases.extend((called != method::EVICT).then_some(lease));
            }
            let answer = json!({"jsonrpc": "2.0", "id": message.get("id"), "result": {}});
            self.wire.send(&answer.to_string()).await?;
        } else if let Some(hosts) = message.pointer("/result/hosts").and_then(Value::as_array) {
            self.asks = false;
            self.leases.extend(hosts.iter().filter_map(|host| lease_id(host.get("lease")?)));
        } else if message.get("error").is_some() {
            self.asks = false;
        }
        let old = self.leases.len().saturating_sub(LEASES);
        self.leases.drain(..old);
        Ok(())
    }
}

fn lease_id(value: &Value) -> Option<LeaseId> {
    serde_json::from_value(value.clone()).ok()
}
