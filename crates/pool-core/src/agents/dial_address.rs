use std::net::IpAddr;

use vipnode_types::{AddressScope, Enode};

use crate::agents::{listen_address::ListenAddress, node::Node};

/// Which address of a node another one dials.
#[derive(Debug, Clone, Copy)]
enum DialAddress {
    Claimed,
    /// The remote address of its socket, with the port that it claims.
    Observed(IpAddr),
}

impl Node {
    /// Returns where a node that was observed in a scope may dial it: the remote address of its socket with the port that it
    /// claims. The claimed address is used only in a closed pool or if the socket came over loopback, so that no node is
    /// made to dial an address that the pool did not observe.
    ///
    /// `None` where neither address means this node from there. Otherwise an agent in the pool's own network could make
    /// the nodes of strangers connect to machines in theirs, and addresses of a private network would leave it.
    pub(crate) fn dialed_from(&self, observed: AddressScope, members_only: bool) -> Option<Enode> {
        let enode = || Some(self.presence.endpoint.as_ref()?.enode(self.id()));
        match self.dial_address(observed, members_only)? {
            DialAddress::Claimed => enode(),
            DialAddress::Observed(ip) => Some(enode()?.with_ip(ip)),
        }
    }

    /// Which of its addresses a node that was observed in a scope may dial; see [`Self::dialed_from`].
    fn dial_address(&self, observed: AddressScope, members_only: bool) -> Option<DialAddress> {
        let endpoint = self.presence.endpoint.as_ref().filter(|endpoint| endpoint.port() != 0)?;
        let own = self.address()?.to_canonical();
        let reachable = |ip: IpAddr| AddressScope::of(ip).is_some_and(|scope| scope.is_reachable_from(observed));
        let claims = match endpoint {
            ListenAddress::Nowhere(_) => false,
            ListenAddress::Ip(ip, _) => reachable(*ip),
            ListenAddress::Name(_) => true,
        };
        if claims && (members_only || own.is_loopback()) {
            return Some(DialAddress::Claimed);
        }
        reachable(own).then_some(DialAddress::Observed(own))
    }

    /// The scope in which it is observed: where its agent's socket comes from.
    pub(crate) fn scope(&self) -> Option<AddressScope> {
        self.address().map(|ip| AddressScope::of(ip).unwrap_or(AddressScope::Public))
    }

    /// Whether another node may dial it.
    pub(crate) fn may_be_dialed_by(&self, other: &Self, members_only: bool) -> bool {
        other.scope().is_some_and(|observed| self.dial_address(observed, members_only).is_some())
    }

    /// Returns where another node may dial it; `None` if that node's address is not known.
    pub(crate) fn dialed_by(&self, other: &Self, members_only: bool) -> Option<Enode> {
        self.dialed_from(other.scope()?, members_only)
    }

    /// Returns where it was observed, for another node; `None` if that address does not mean this node from there.
    pub(crate) fn address_for(&self, other: &Self) -> Option<IpAddr> {
        let (own, observed) = (self.address()?.to_canonical(), other.scope()?);
        AddressScope::of(own).filter(|scope| scope.is_reachable_from(observed)).map(|_| own)
    }

    /// As [`Self::dialed_by`], or only its id.
    pub(crate) fn named_to(&self, other: &Self, members_only: bool) -> Enode {
        self.dialed_by(other, members_only).unwrap_or_else(|| Enode::id_only(self.id()))
    }
}
