use std::net::IpAddr;

use serde_json::value::RawValue;
use vipnode_pool_core::{AccountLink, Command, Identity, LinkConsent, NewPayout, RequestId};
use vipnode_types::{
    Account, NodeId, PoolMethod,
    wire::{AccountQuery, LinkRequest, PayoutRequest, UnlinkRequest, WireError},
};

use crate::{
    auth::{Arrival, SignedParams},
    call_refusal::CallRefusal,
    engine::{NOBODY, wall_clock},
    fairness::PermitClass,
    methods::Service,
};

/// A call about an account. It needs no connect: what it permits follows from the signatures in it.
#[derive(Debug)]
pub(crate) enum AccountCall<'a> {
    /// Links a node to an account, which both signed.
    Link(SignedParams<'a>, Box<LinkRequest>),
    /// Ends such a link; the account or the node's agent signed.
    Unlink(SignedParams<'a>, Box<UnlinkRequest>),
    /// Asks for the figures of an account, which signed.
    Figures(Box<AccountQuery>),
    /// Names the account that receives what a node earns; the node key signed.
    Payout(Box<PayoutRequest>),
}

/// An [`AccountCall`] whose signatures are valid.
#[derive(Debug)]
pub(crate) enum VerifiedAccountCall {
    Link(AccountLink),
    Figures(Account),
    Payout(NodeId, NewPayout),
}

/// Who signed the envelope, and its nonce, which remains to be checked. `None` if the call needs no envelope.
pub(crate) type UncheckedNonce<'a> = Option<(Identity, &'a str)>;

impl<'a> AccountCall<'a> {
    pub(crate) fn link(params: &'a RawValue) -> Result<Self, WireError> {
        let signed = SignedParams::read(params)?;
        let request = signed.parse()?;
        Ok(Self::Link(signed, request))
    }

    pub(crate) fn unlink(params: &'a RawValue) -> Result<Self, WireError> {
        let signed = SignedParams::read(params)?;
        let request = signed.parse()?;
        Ok(Self::Unlink(signed, request))
    }

    pub(crate) fn figures(params: &'a RawValue) -> Result<Self, WireError> {
        Ok(Self::Figures(SignedParams::read(params)?.parse()?))
    }

    pub(crate) fn payout(params: &'a RawValue) -> Result<Self, WireError> {
        Ok(Self::Payout(SignedParams::read(params)?.parse()?))
    }

    /// Checks the signatures. The caller holds a permit for that, and uses up the nonce of the envelope after this (faults D8
    /// and D9, docs/faults.md).
    pub(crate) async fn verify(
        &self,
        service: &Service,
        arrival: &Arrival,
    ) -> Result<(VerifiedAccountCall, UncheckedNonce<'_>), WireError> {
        let access = &service.access;
        let pool = || access.pool_id().ok_or(CallRefusal::NoPoolId);
        match self {
            Self::Link(signed, request) => {
                let (identity, nonce) = signed.verify(access, arrival, PoolMethod::Link.name(), wall_clock()).await?;
                request.signed_by_account(pool()?, identity.node).verify(&request.signature)?;
                let LinkRequest { account, chain_id, counter, signature: _ } = **request;
                let consent = LinkConsent::Both { issued: identity.issued, chain_id };
                Ok((
                    VerifiedAccountCall::Link(AccountLink { node: identity.node, account, counter, consent }),
                    Some((identity, nonce)),
                ))
            }
            Self::Unlink(signed, request) => {
                let UnlinkRequest { account, node, counter, signature } = **request;
                let link = |consent| VerifiedAccountCall::Link(AccountLink { node, account, counter, consent });
                if let Some(signature) = signature {
                    request.signed_by_account(pool()?).verify(&signature)?;
                    return Ok((link(LinkConsent::AccountEnds), None));
                }
                let (identity, nonce) = signed.verify(access, arrival, PoolMethod::Unlink.name(), wall_clock()).await?;
                if identity.node != node {
                    return Err(CallRefusal::OtherNodeUnlinked.into());
                }
                Ok((link(LinkConsent::NodeEnds { issued: identity.issued }), Some((identity, nonce))))
            }
            Self::Figures(query) => Ok((VerifiedAccountCall::Figures(verify_query(service, query)?), None)),
            Self::Payout(request) => {
                let PayoutRequest { node, order } = &**request;
                order.verify(node)?;
                let payout = NewPayout { account: order.account, counter: order.counter };
                Ok((VerifiedAccountCall::Payout(*node, payout), None))
            }
        }
    }
}

/// Checks the signature of a query, for which the caller holds a permit. Returns the account that signed.
pub(crate) fn verify_query(service: &Service, query: &AccountQuery) -> Result<Account, WireError> {
    let pool = service.access.pool_id().ok_or(CallRefusal::NoPoolId)?;
    query.signed_by_account(pool).verify(&query.signature)?;
    let ahead_ms = service.sessions.ahead_ms();
    if !query.is_current(wall_clock(), ahead_ms) {
        return Err(CallRefusal::OldQuery { ahead_s: ahead_ms / 1_000 }.into());
    }
    Ok(query.account)
}

impl VerifiedAccountCall {
    /// A change takes part in the limits of connects: like these, it writes.
    pub(crate) const fn permit_class(&self) -> PermitClass {
        match self {
            Self::Link(_) | Self::Payout(..) => PermitClass::Connect,
            Self::Figures(_) => PermitClass::Other,
        }
    }

    pub(crate) const fn command(self, address: IpAddr, request: RequestId) -> Command {
        match self {
            Self::Link(link) => Command::Link { connection: NOBODY, request, address, link },
            Self::Figures(account) => Command::Account { connection: NOBODY, request, address, account },
            Self::Payout(node, payout) => Command::Payout { connection: NOBODY, request, address, node, payout },
        }
    }
}
