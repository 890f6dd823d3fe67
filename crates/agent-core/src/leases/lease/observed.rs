use std::net::{IpAddr, SocketAddr};

use vipnode_types::{Capability, EnodeHost, Ms, PeerFact, wire::Side};

use super::Lease;

/// What our node sees of the peer.
#[derive(Debug, Clone, Default)]
pub(super) struct Observed {
    /// The peer was checked against the rules.
    checked: bool,
    /// The capabilities of a host.
    caps: Vec<Capability>,
    /// They were reported to the pool on this socket.
    caps_reported: bool,
    /// The peer's address, as our node sees it.
    remote: Option<IpAddr>,
    /// `name` of the peer; empty until it was seen.
    client_version: String,
}

/// What our node sees of the peer.
impl Lease {
    /// Has the peer checked again, because the rules changed.
    pub(crate) const fn recheck(&mut self) {
        self.observed.checked = false;
    }

    pub(crate) const fn is_checked(&self) -> bool {
        self.observed.checked
    }

    /// Records that the peer was checked, and a host's capabilities.
    pub(crate) fn checked(&mut self, caps: &[Capability]) {
        self.observed.checked = true;
        if self.side == Side::Client {
            self.observed.caps = caps.to_vec();
        }
    }

    /// Records who the peer is.
    pub(crate) fn saw(&mut self, fact: &PeerFact) {
        let observed = &mut self.observed;
        observed.remote = fact.remote.or(observed.remote);
        if observed.client_version != fact.client_version {
            observed.client_version.clone_from(&fact.client_version);
        }
    }

    /// Returns the address of the peer: where others dial it, else from where it came.
    pub(crate) fn address(&self) -> Option<String> {
        let seen = self.observed.remote.map(|ip| ip.to_string());
        match &self.peer.host {
            EnodeHost::None => seen,
            EnodeHost::Ip(ip) => {
                // geth without --nat names the loopback address: at another machine that is another node.
                let remote = self.observed.remote.filter(|remote| !remote.to_canonical().is_loopback());
                let ip = remote.filter(|_| ip.to_canonical().is_loopback()).unwrap_or(*ip);
                Some(SocketAddr::new(ip, self.peer.port).to_string())
            }
            EnodeHost::Dns(name) => Some(format!("{name}:{}", self.peer.port)),
        }
    }

    /// Returns the peer's client version, as our node sees it or the pool reported it; empty if it is not known.
    pub(crate) fn client_version(&self) -> &str {
        let seen = self.observed.client_version.as_str();
        if seen.is_empty() { &self.terms.peer_version } else { seen }
    }

    /// Returns the host's capabilities, if they have to be reported to the pool.
    pub(crate) fn take_unreported_caps(&mut self) -> Option<Vec<Capability>> {
        let observed = &mut self.observed;
        let news = self.connection.is_up() && !observed.caps_reported && !observed.caps.is_empty();
        (news).then(|| {
            observed.caps_reported = true;
            observed.caps.clone()
        })
    }

    /// Has the capabilities reported again, on a new socket.
    pub(crate) const fn forget_caps_reported(&mut self) {
        self.observed.caps_reported = false;
    }

    pub(crate) const fn is_missing_announced(&self) -> bool {
        self.missing_announced
    }

    /// Records that the user is notified of the missing peer. Returns whether that is new.
    pub(crate) const fn announce_missing(&mut self) -> bool {
        !std::mem::replace(&mut self.missing_announced, true)
    }

    /// Records that the peer connected. Returns whether for the first time.
    pub(crate) fn came(&mut self, now: Ms) -> bool {
        self.missing_announced = false;
        self.connection.came(now)
    }
}
