use std::{
    net::IpAddr,
    sync::{Arc, PoisonError, RwLock},
};

use axum::http::{HeaderName, HeaderValue};
use vipnode_pool_core::Identity;
use vipnode_types::{
    AgentPublic, Ms, NodeId, PoolId, PoolKey,
    wire::{Admission, ConnectRequest, POOL_ID_HEADER, ReachRequest, WireError},
};

use crate::auth::{
    Arrival, BanNotice, BansAndDrains, Membership, PoolIdentity, UnnamedProxy, access_rules::AccessRules,
    audience::Audience,
};
use crate::call_refusal::CallRefusal;

/// The rules about who may call this pool, join it, and see its status, and what the pool presents to a node that joins:
/// its id and the welcome message.
///
/// Audience and key are fixed at the start; an operator may replace the other rules while the pool runs.
#[derive(Debug)]
pub(crate) struct AccessControl {
    pub(in crate::auth) audience: Audience,
    unnamed_proxy: UnnamedProxy,
    identity: Option<PoolIdentity>,
    bans_and_drains: BansAndDrains,
    rules: RwLock<Arc<AccessRules>>,
}

impl AccessControl {
    pub(crate) fn new(
        audience: Audience,
        identity: Option<PoolIdentity>,
        bans_and_drains: BansAndDrains,
        rules: AccessRules,
    ) -> Self {
        let unnamed_proxy = UnnamedProxy::default();
        Self { audience, unnamed_proxy, identity, bans_and_drains, rules: RwLock::new(Arc::new(rules)) }
    }

    /// Returns the pool's id, if it has a key.
    pub(crate) fn pool_id(&self) -> Option<PoolId> {
        self.identity.as_ref().map(PoolIdentity::id)
    }

    /// Returns the pool's key, if it has one.
    pub(crate) fn key(&self) -> Option<Arc<PoolKey>> {
        self.identity.as_ref().map(PoolIdentity::key)
    }

    /// Returns the headers by which a 101 response with this challenge presents the pool; none if it has no key.
    pub(crate) fn present(&self, challenge: &str) -> Vec<(&'static str, String)> {
        self.identity.as_ref().map_or_else(Vec::new, |identity| identity.headers(challenge))
    }

    /// Returns the header with the pool's id in the answer to a POST, which has no challenge that the pool could prove
    /// it for. `None` if the pool has no key.
    pub(crate) fn pool_id_header(&self) -> Option<(HeaderName, HeaderValue)> {
        let id = HeaderValue::from_str(&self.pool_id()?.to_string()).ok()?;
        Some((HeaderName::from_static(POOL_ID_HEADER), id))
    }

    /// Returns the operator's bans and drains.
    pub(crate) const fn bans_and_drains(&self) -> &BansAndDrains {
        &self.bans_and_drains
    }

    /// Returns the ban of an address, if there is one.
    pub(crate) fn ban_of_address(&self, ip: IpAddr, now: Ms) -> Option<Box<BanNotice>> {
        if self.bans_and_drains.no_bans() {
            return None;
        }
        self.bans_and_drains.ban_of_address(ip, now).map(Box::new)
    }

    /// Checks that neither a node, nor the key of its agent, nor its address is banned.
    pub(crate) fn check_ban(
        &self,
        node: &NodeId,
        agent: Option<&AgentPublic>,
        ip: IpAddr,
        now: Ms,
    ) -> Result<(), CallRefusal> {
        if self.bans_and_drains.no_bans() {
            return Ok(());
        }
        let ban =
            self.bans_and_drains.ban_of_node(node, agent, now).or_else(|| self.bans_and_drains.ban_of_address(ip, now));
        ban.map_or(Ok(()), |notice| Err(CallRefusal::Banned { notice: notice.to_string() }))
    }

    /// Replaces the rules. Returns how many nodes are new members, and how many are not members any more.
    pub(crate) fn replace(&self, rules: AccessRules) -> (usize, usize) {
        let mut kept = self.rules.write().unwrap_or_else(PoisonError::into_inner);
        let changes = kept.members.changes(&rules.members);
        *kept = Arc::new(rules);
        changes
    }

    pub(in crate::auth) fn rules(&self) -> Arc<AccessRules> {
        Arc::clone(&self.rules.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Checks that a signature was made for this pool.
    pub(crate) fn check_audience(&self, audience: &str, arrival: &Arrival) -> Result<(), WireError> {
        let url = self.audience.check(audience, arrival)?;
        self.unnamed_proxy.call_for(&url, arrival);
        Ok(())
    }

    /// Whether the pool does not know the address of a caller, so that it must use neither the one that it sees nor one that the
    /// caller claims.
    pub(crate) fn hides_caller(&self, arrival: &Arrival) -> bool {
        self.unnamed_proxy.hides_caller(arrival)
    }

    /// What the pool has seen of a proxy that `--proxy` does not name.
    pub(crate) const fn unnamed_proxy(&self) -> &UnnamedProxy {
        &self.unnamed_proxy
    }

    /// Returns the URLs that agents can use, the most useful first.
    pub(crate) fn urls(&self) -> Vec<String> {
        self.audience.urls()
    }

    /// Checks an agent whose signature is valid. `nonce` is the one that it signed.
    pub(crate) fn admit(&self, identity: &Identity, hello: &ConnectRequest, nonce: &str) -> Result<(), WireError> {
        self.rules().members.admits(&identity.node, hello.join.as_ref(), nonce)?;
        self.admit_network(hello.chain.chain_id)?;
        let payout = hello.host.as_ref().and_then(|host| host.payout.as_ref());
        Ok(payout.map_or(Ok(()), |order| order.verify(&identity.node))?)
    }

    /// Checks a node that speaks protocol 2 and whose signature is valid.
    pub(crate) fn admit_member_protocol2(&self, node: &NodeId) -> Result<(), WireError> {
        Ok(self.rules().members.admits_protocol2(node)?)
    }

    /// Checks the network of a node, by its chain id or, in protocol 2, its network id.
    pub(crate) fn admit_network(&self, id: u64) -> Result<(), WireError> {
        Ok(self.rules().network.map_or(Ok(()), |network| network.admits(id))?)
    }

    /// Returns whether a node that has not joined would be admitted. `nonce` is the one that its proof of the join secret
    /// covers.
    pub(crate) fn admission(&self, request: &ReachRequest, nonce: &str) -> Admission {
        let rules = self.rules();
        if let Some(Err(error)) = rules.network.map(|network| network.admits(request.chain_id)) {
            return Admission::Refused(error.into());
        }
        match &rules.members {
            // Anyone may ask about any node, so the answer does not reveal who is a member.
            Membership::Members(_) => Admission::MembersOnly,
            members => match members.admits(&request.node, request.join.as_ref(), nonce) {
                Ok(()) => Admission::Allowed,
                Err(error) => Admission::Refused(error.into()),
            },
        }
    }

    /// Checks a caller that asks for the status; `connected` is whether it has connected.
    pub(crate) fn admit_to_status(&self, connected: bool) -> Result<(), WireError> {
        Ok(self.rules().status.admits(connected)?)
    }

    /// Whether joining takes more than a signature.
    pub(crate) fn is_closed(&self) -> bool {
        self.rules().members.is_closed()
    }

    /// Whether there is a members file without this node.
    pub(crate) fn excludes(&self, node: &NodeId) -> bool {
        matches!(&self.rules().members, Membership::Members(members) if !members.contains(node))
    }

    /// Returns the operator's message to the user of a node.
    pub(crate) fn welcome(&self, node: Option<NodeId>) -> Option<String> {
        self.rules().welcome.as_ref().map(|welcome| welcome.to(node))
    }
}
