use std::net::IpAddr;

use vipnode_types::{
    Account, Ms, NodeId,
    wire::{Done, EvictReason, LinkReply},
};

use crate::{
    AccountLink, ConnectionId, Core, LinkConsent, LinkRow, Reply, RequestId, Row, RowKey,
    core_error::CoreError,
    ledger::{burn::BurnRate, shortage::Shortage},
    metering::period_merger::next_hour,
    output::Output,
};

impl Core {
    /// Links a node with the account that pays for its leases, or ends such a link.
    pub(crate) fn link(
        &mut self,
        output: &mut Output,
        (connection, request): (ConnectionId, RequestId),
        address: IpAddr,
        link: AccountLink,
    ) {
        output.count_steps(Some(address), 1);
        let (node, links) = (link.node, matches!(link.consent, LinkConsent::Both { .. }));
        match self.change_link(output, link) {
            Ok(()) if links => {
                let unpaid = self.unpaid(&node).map(|shortage| shortage.error(self.limits.unfunded_retry_ms).into());
                output.reply_durably(connection, request, Reply::Linked(Box::new(LinkReply { unpaid })));
            }
            Ok(()) => output.reply_durably(connection, request, Reply::Done(Done {})),
            Err(error) => output.reply(connection, request, Err(error.into())),
        }
    }

    /// Why the account of a node cannot pay for its leases, or for a first one if it has none.
    fn unpaid(&self, node: &NodeId) -> Option<Shortage> {
        let has_lease = self.agents.find(node).is_some_and(|client| self.leases.client_count(client) > 0);
        let rate = if has_lease { BurnRate::default() } else { BurnRate::of(self.limits.price) };
        self.context().shortage_at(node, rate)
    }

    /// An account's counter is raised only by what the account signed, after everything else was checked (faults D8 and D9,
    /// docs/faults.md). It is never forgotten.
    fn change_link(&mut self, output: &mut Output, link: AccountLink) -> Result<(), CoreError> {
        let AccountLink { node, account, counter, consent } = link;
        let ledger = self.ledger.as_ref().ok_or(CoreError::NoLedger)?;
        let (newest, wall) = (Ms::new(ledger.link_counter(account)), self.clock.wall(output.now));
        if counter <= newest && !self.ends_despite(newest, wall, consent) {
            return Err(match newest.since(wall).div_ceil(1_000) {
                0 => CoreError::LinkCounter { newest: newest.get() },
                seconds => CoreError::LinkCounterAhead { newest: newest.get(), seconds },
            });
        }
        self.check_link_time(counter, wall)?;
        let from = self.links_from();
        if matches!(consent, LinkConsent::Both { .. }) && counter <= from {
            return Err(CoreError::LinkBeforeRestore { seconds: from.since(wall).div_ceil(1_000) });
        }
        let payer = ledger.payer_of(&node);
        match consent {
            LinkConsent::Both { issued, chain_id } => {
                self.check_link(&node, issued, chain_id)?;
                if !ledger.knows(account) {
                    return Err(CoreError::UnknownAccount { account });
                }
                let most = self.limits.nodes_an_account;
                if payer != Some(account) && ledger.nodes_of(account).count() >= most as usize {
                    return Err(CoreError::LinksOfAccount { most });
                }
                self.check_waiting_periods(node, account, output.now)?;
            }
            LinkConsent::AccountEnds | LinkConsent::NodeEnds { .. } if payer != Some(account) => {
                return Err(CoreError::NotLinked { account });
            }
            LinkConsent::AccountEnds => {}
            LinkConsent::NodeEnds { issued } => self.check_delegation(&node, issued)?,
        }
        if counter > newest && !matches!(consent, LinkConsent::NodeEnds { .. }) {
            self.raise_counter(output, account, counter);
        }
        let payer = matches!(consent, LinkConsent::Both { .. }).then_some(account);
        self.set_payer(output, node, payer);
        Ok(())
    }

    /// Whether a link may be ended with a counter that is not higher than the newest one, because a clock was wrong when that was
    /// signed. Otherwise, the node would spend from the account until then. A repeat ends no later link: for the node, the nonce
    /// of its request is used only once; for the account, no link can follow while the newest counter is further ahead than one may
    /// be, and the counters of later ones are higher than this one.
    fn ends_despite(&self, newest: Ms, wall: Ms, consent: LinkConsent) -> bool {
        match consent {
            LinkConsent::Both { .. } => false,
            LinkConsent::NodeEnds { .. } => newest > wall,
            LinkConsent::AccountEnds => newest > wall.plus(self.limits.nonce_ahead_ms),
        }
    }

    /// A signature that was made long ago, and never used, permits nothing.
    fn check_link_time(&self, counter: Ms, now: Ms) -> Result<(), CoreError> {
        let (ahead, behind) = (self.limits.nonce_ahead_ms, self.limits.link_age_ms);
        if counter > now.plus(ahead) {
            return Err(CoreError::LinkAhead { limit_s: ahead / 1_000 });
        }
        if counter < now.minus(behind) {
            return Err(CoreError::LinkBehind { limit_s: behind / 1_000 });
        }
        Ok(())
    }

    /// Periods of two payers are not added up, so a node that has ended as many periods as it may in an hour gets no other payer
    /// before those that wait are written: otherwise each change would write them at once, without a limit.
    pub(crate) fn check_waiting_periods(&self, node: NodeId, payer: Account, now: Ms) -> Result<(), CoreError> {
        let none_waits = self.agents.find(&node).filter(|&client| self.lacks_periods(client));
        let written = self.metering.other_payer_until(node, payer).or(none_waits.map(|_| next_hour(now)));
        written.map_or(Ok(()), |written| Err(CoreError::PeriodsWait { retry_ms: written.since(now).max(1) }))
    }

    /// Checks that the node is on the chain that the account signed, and that its agent may still speak for it.
    fn check_link(&self, node: &NodeId, issued: Ms, chain_id: u64) -> Result<(), CoreError> {
        self.check_delegation(node, issued)?;
        let known = self.agents.find(node).and_then(|index| self.agents.get(index));
        let known = known.ok_or(CoreError::UnknownNode)?;
        let ours = self.agents.chain(known.chain()).map_or(0, |chain| chain.chain_id);
        if ours == chain_id { Ok(()) } else { Err(CoreError::LinkChain { signed: chain_id, ours }) }
    }

    fn check_delegation(&self, node: &NodeId, issued: Ms) -> Result<(), CoreError> {
        if issued < self.agents.newest_delegation(node) { Err(CoreError::OldDelegation) } else { Ok(()) }
    }

    fn raise_counter(&mut self, output: &mut Output, account: Account, counter: Ms) {
        let Some(ledger) = &mut self.ledger else { return };
        ledger.set_link_counter(account, counter.get());
        output.persist(Row::LinkCounter(account, counter.get()));
    }

    /// Changes the payer of a node: its running rows end first, and the next ones are for the new payer. Without a payer, its
    /// leases end that cost something, pending offers included.
    pub(crate) fn set_payer(&mut self, output: &mut Output, node: NodeId, payer: Option<Account>) {
        let client = self.agents.find(&node);
        let leases = client.into_iter().flat_map(|client| self.leases.of_client(client));
        let (mut ended, mut leases): (Vec<u32>, Vec<u32>) = (Vec::new(), leases.map(|(lease, _)| lease).collect());
        if payer.is_none() {
            (ended, leases) = leases.into_iter().partition(|&lease| self.costs_something(lease));
        }
        // While the link holds: the time until now is its account's.
        for lease in ended {
            self.end_lease(output, lease, EvictReason::NoPayer, None, None);
        }
        for &lease in &leases {
            self.end_row(output, lease);
        }
        let Some(ledger) = &mut self.ledger else { return };
        ledger.set_link(node, payer);
        output.persist(match payer {
            Some(account) => Row::Link(LinkRow { node, account }),
            None => Row::Delete(RowKey::Link(node)),
        });
        for &lease in &leases {
            self.begin_charges(lease);
            self.persist_lease(output, lease);
        }
        for lease in leases {
            self.ask_price(output, lease);
        }
        match (payer, client) {
            (Some(payer), client) => {
                self.funded(payer);
                client.into_iter().for_each(|client| self.funds_changed(output, client));
            }
            // A request for hosts that waits for an offer that ended is answered.
            (None, Some(client)) => self.go_on_asking(output, client),
            (None, None) => {}
        }
    }

    fn costs_something(&self, lease: u32) -> bool {
        let price = self.leases.get(lease).and_then(|lease| self.leases.price(lease));
        price.is_some_and(|price| !price.is_free())
    }
}
