use vipnode_types::{
    LeaseId, Ms,
    wire::{PairFault, Side},
};

use crate::{
    collections::{compact_lease_id::CompactLeaseId, compact_ms::CompactMs, slab::NIL},
    leases::lease_progress::{LeaseProgress, LeaseState},
};

/// The time of an event that has not happened.
pub(crate) const UNSEEN: Ms = Ms::NEVER;

/// A lease between one client and one host, and when each saw the other in the current billing period.
///
/// A client's "gone" ends a lease at once, so only a host's is stored. The payee is the host's current payout account: a
/// change of it ends the running periods first.
///
/// It takes 76 bytes, because the pool keeps millions.
#[derive(Debug)]
pub(crate) struct Lease {
    id: CompactLeaseId,
    offered: CompactMs,
    client_up: CompactMs,
    host_up: CompactMs,
    host_down: CompactMs,
    client: u32,
    host: u32,
    row: u32,
    /// Number in the table of prices.
    price: u16,
    /// What the periods before at this price left of the smallest unit.
    carry: u32,
    /// Neighbors among the client's leases.
    pub(in crate::leases) client_link: ListLink,
    /// Neighbors among the host's leases.
    pub(in crate::leases) host_link: ListLink,
    /// Neighbors among the leases in order of their rows' beginnings.
    pub(in crate::leases) age_link: ListLink,
    progress: LeaseProgress,
    /// The fault of the pair that a side reported when it left.
    fault: Option<PairFault>,
}

/// The neighbors of a lease in a linked list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ListLink {
    pub(crate) prev: u32,
    pub(crate) next: u32,
}

impl ListLink {
    pub(crate) const NONE: Self = Self { prev: NIL, next: NIL };
}

/// What a lease counts to while it is pending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CountedAs {
    /// To no share.
    Unshared,
    /// To the share of its client's address block.
    Shared,
    /// To that share, and to the block's share of the offers of hosts that report with their updates only.
    SharedLate,
}

/// When the sides of a row were first connected to each other, and when the host reported the client as gone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FirstSeen {
    pub(crate) client_up: Ms,
    pub(crate) host_up: Ms,
    pub(crate) host_down: Ms,
}

impl Lease {
    /// Returns a lease that its host has yet to admit.
    pub(crate) const fn new(id: LeaseId, client: u32, host: u32, price: u16, offered: Ms) -> Self {
        Self {
            id: CompactLeaseId::of(id),
            offered: CompactMs::of(offered),
            client_up: CompactMs::NEVER,
            host_up: CompactMs::NEVER,
            host_down: CompactMs::NEVER,
            client,
            host,
            row: 0,
            price,
            carry: 0,
            client_link: ListLink::NONE,
            host_link: ListLink::NONE,
            age_link: ListLink::NONE,
            progress: LeaseProgress::ADMITTING,
            fault: None,
        }
    }

    /// Returns the lease with its stored state. Whether the host admitted is not stored: both sides know of the lease, and
    /// the deadline of the offer decides.
    pub(in crate::leases) fn restored(self, row: u32, carry: u32, seen: FirstSeen) -> Self {
        let FirstSeen { client_up, host_up, host_down } = seen;
        let running = client_up != UNSEEN && host_up != UNSEEN;
        let state = if running { LeaseState::Running } else { LeaseState::Offered };
        let progress = self.progress.at(state).with(LeaseProgress::HOST_GONE_ARMED, host_down != UNSEEN);
        let [client_up, host_up, host_down] = [client_up, host_up, host_down].map(CompactMs::of);
        Self { row, carry, client_up, host_up, host_down, progress, ..self }
    }

    /// The same lease, which counts so while it is pending.
    pub(in crate::leases) const fn counted_as(self, counted: CountedAs) -> Self {
        let shared = self.progress.with(LeaseProgress::SHARED, !matches!(counted, CountedAs::Unshared));
        Self { progress: shared.with(LeaseProgress::LATE, matches!(counted, CountedAs::SharedLate)), ..self }
    }

    /// What it counts to while it is pending.
    pub(crate) const fn counted(&self) -> CountedAs {
        match (self.progress.has(LeaseProgress::SHARED), self.progress.has(LeaseProgress::LATE)) {
            (false, _) => CountedAs::Unshared,
            (true, false) => CountedAs::Shared,
            (true, true) => CountedAs::SharedLate,
        }
    }

    pub(crate) const fn id(&self) -> LeaseId {
        self.id.get()
    }

    pub(crate) const fn offered(&self) -> Ms {
        self.offered.get()
    }

    /// Index of the client.
    pub(crate) const fn client(&self) -> u32 {
        self.client
    }

    /// Index of the host.
    pub(crate) const fn host(&self) -> u32 {
        self.host
    }

    pub(crate) const fn client_up(&self) -> Ms {
        self.client_up.get()
    }

    pub(crate) const fn host_up(&self) -> Ms {
        self.host_up.get()
    }

    /// When the host reported the client as gone, or [`UNSEEN`].
    pub(crate) const fn host_down(&self) -> Ms {
        self.host_down.get()
    }

    /// When the running period began: when both sides were first connected to each other.
    pub(crate) fn both_up(&self) -> Ms {
        self.client_up().max(self.host_up())
    }

    /// The number of the current billing period.
    pub(crate) const fn row(&self) -> u32 {
        self.row
    }

    /// Number in the table of prices.
    pub(crate) const fn price(&self) -> u16 {
        self.price
    }

    /// What the periods before at this price left of the smallest unit.
    pub(crate) const fn carry(&self) -> u32 {
        self.carry
    }

    pub(crate) const fn fault(&self) -> Option<PairFault> {
        self.fault
    }

    pub(in crate::leases) const fn set_fault(&mut self, fault: Option<PairFault>) {
        self.fault = fault;
    }

    /// The neighbors in the order of rows, for checks.
    pub(crate) const fn age_link(&self) -> ListLink {
        self.age_link
    }

    /// Whether the host has yet to admit.
    pub(crate) const fn is_admitting(&self) -> bool {
        matches!(self.state(), LeaseState::Admitting)
    }

    /// Whether both sides have seen each other.
    pub(crate) const fn is_running(&self) -> bool {
        matches!(self.state(), LeaseState::Running)
    }

    /// Whether the client knows of it.
    pub(crate) const fn is_known_to_client(&self) -> bool {
        matches!(self.state(), LeaseState::Offered | LeaseState::Running)
    }

    pub(in crate::leases) const fn set_state(&mut self, state: LeaseState) {
        self.progress = self.progress.at(state);
    }

    const fn state(&self) -> LeaseState {
        self.progress.state()
    }

    /// Returns the side of a node.
    pub(crate) const fn side_of(&self, node: u32) -> Option<Side> {
        if self.client == node {
            Some(Side::Client)
        } else if self.host == node {
            Some(Side::Host)
        } else {
            None
        }
    }

    /// Returns the index of a side's node.
    pub(crate) const fn node(&self, side: Side) -> u32 {
        match side {
            Side::Client => self.client,
            Side::Host => self.host,
        }
    }

    /// When a side first saw the other in the current row.
    pub(crate) const fn up(&self, side: Side) -> Ms {
        match side {
            Side::Client => self.client_up(),
            Side::Host => self.host_up(),
        }
    }

    /// Whether a side reports the other as connected.
    pub(crate) fn sees(&self, side: Side) -> bool {
        self.up(side) != UNSEEN && (side == Side::Client || self.host_down() == UNSEEN)
    }

    /// Whether both sides report each other as connected.
    pub(crate) fn runs(&self) -> bool {
        self.sees(Side::Client) && self.sees(Side::Host)
    }

    pub(in crate::leases) const fn set_up(&mut self, side: Side, at: Ms) {
        match side {
            Side::Client => self.client_up = CompactMs::of(at),
            Side::Host => {
                self.host_up = CompactMs::of(at);
                self.host_down = CompactMs::NEVER;
            }
        }
    }

    pub(in crate::leases) const fn set_host_down(&mut self, at: Ms) {
        self.host_down = CompactMs::of(at);
    }

    /// Sets whether the host's "gone" has a deadline. Returns the previous value.
    pub(in crate::leases) const fn arm_half_down(&mut self, armed: bool) -> bool {
        let before = self.progress.has(LeaseProgress::HOST_GONE_ARMED);
        self.progress = self.progress.with(LeaseProgress::HOST_GONE_ARMED, armed);
        before
    }

    /// Begins the next row, with what the sides saw and what the row before left of the smallest unit.
    pub(in crate::leases) const fn next_period(&mut self, seen: FirstSeen, carry: u32) {
        self.carry = carry;
        self.row = self.row.saturating_add(1);
        self.client_up = CompactMs::of(seen.client_up);
        self.host_up = CompactMs::of(seen.host_up);
        self.host_down = CompactMs::of(seen.host_down);
    }

    /// Sets the number of the price. Returns the previous one.
    pub(in crate::leases) const fn set_price(&mut self, price: u16) -> u16 {
        std::mem::replace(&mut self.price, price)
    }
}
