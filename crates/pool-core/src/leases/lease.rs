use vipnode_types::{
    LeaseId, Ms,
    wire::{PairFault, Side},
};

/// No index.
pub(crate) const NIL: u32 = u32::MAX;
/// A moment that has not come.
pub(crate) const UNSEEN: Ms = Ms::NEVER;

/// One client on one host, and what each saw of the other in the present row of its meter.
///
/// A client's "gone" ends a lease at once, so only a host's is stored. The payee is the host's
/// present payout account: a new one ends the rows first.
#[derive(Debug)]
pub(crate) struct Lease {
    pub(crate) id: LeaseId,
    pub(crate) offered: Ms,
    pub(crate) client_up: Ms,
    pub(crate) host_up: Ms,
    pub(crate) host_down: Ms,
    pub(crate) client: u32,
    pub(crate) host: u32,
    pub(crate) row: u32,
    /// Number in the table of prices.
    pub(crate) price: u32,
    /// Neighbours among the client's leases.
    pub(crate) client_link: Link,
    /// Neighbours among the host's leases.
    pub(crate) host_link: Link,
    /// Neighbours among the leases in order of their rows' beginnings.
    pub(crate) age_link: Link,
    /// The host was asked and has not answered.
    pub(crate) admitting: bool,
    /// The client knows of it.
    pub(crate) told: bool,
    /// What a side saw wrong with the pair, as it left.
    pub(crate) fault: Option<PairFault>,
    /// Both sides saw each other once. Until then it is an outstanding offer of its client's address
    /// block.
    pub(crate) paired: bool,
    /// An entry stands among the deadlines of `half_down_ms`.
    pub(crate) half_armed: bool,
}

/// Two neighbours in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) prev: u32,
    pub(crate) next: u32,
}

impl Link {
    pub(crate) const NONE: Self = Self { prev: NIL, next: NIL };
}

impl Lease {
    pub(crate) const fn new(id: LeaseId, client: u32, host: u32, price: u32, offered: Ms) -> Self {
        Self {
            id,
            offered,
            client_up: UNSEEN,
            host_up: UNSEEN,
            host_down: UNSEEN,
            client,
            host,
            row: 0,
            price,
            client_link: Link::NONE,
            host_link: Link::NONE,
            age_link: Link::NONE,
            admitting: true,
            told: false,
            fault: None,
            paired: false,
            half_armed: false,
        }
    }

    /// Which side a node is.
    pub(crate) const fn side_of(&self, node: u32) -> Option<Side> {
        if self.client == node {
            Some(Side::Client)
        } else if self.host == node {
            Some(Side::Host)
        } else {
            None
        }
    }

    pub(crate) const fn node(&self, side: Side) -> u32 {
        match side {
            Side::Client => self.client,
            Side::Host => self.host,
        }
    }

    pub(crate) const fn up(&self, side: Side) -> Ms {
        match side {
            Side::Client => self.client_up,
            Side::Host => self.host_up,
        }
    }

    /// Whether that side holds the other to be connected.
    pub(crate) fn sees(&self, side: Side) -> bool {
        self.up(side) != UNSEEN && (side == Side::Client || self.host_down == UNSEEN)
    }

    /// Whether both do.
    pub(crate) fn runs(&self) -> bool {
        self.sees(Side::Client) && self.sees(Side::Host)
    }

    pub(crate) fn set_up(&mut self, side: Side, at: Ms) {
        match side {
            Side::Client => self.client_up = at,
            Side::Host => {
                self.host_up = at;
                self.host_down = UNSEEN;
            }
        }
    }
}
