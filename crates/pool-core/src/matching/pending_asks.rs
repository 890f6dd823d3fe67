use std::collections::BTreeMap;

use vipnode_types::{Ms, protocol2::Kind, wire::LeasedHost};

use crate::{ConnectionId, RequestId, collections::deadlines::Deadlines};

/// Requests that wait for hosts to admit: at most one per client.
#[derive(Debug, Default)]
pub(crate) struct PendingAsks {
    asks: BTreeMap<u32, PendingAsk>,
    last: u64,
    /// The client and the number of its request.
    deadlines: Deadlines<(u32, u64)>,
}

/// A client's request that waits for hosts to admit.
#[derive(Debug)]
pub(crate) struct PendingAsk {
    number: u64,
    pub(crate) connection: ConnectionId,
    pub(crate) request: RequestId,
    tries: u32,
    pub(crate) form: AskForm,
    /// The hosts that have admitted the client.
    pub(crate) got: Vec<LeasedHost>,
}

/// How a request is answered, by protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AskForm {
    /// With the first host; the pool offers the rest by itself.
    Protocol3 {
        /// The hosts that the client wants in total, also beyond those that the pool assigns.
        asked: u32,
    },
    /// With all hosts, because protocol 2 has no message for later ones.
    Protocol2 {
        wanted: u32,
        kind: Kind,
        /// Whether the call was the older `vipnode_client`.
        older: bool,
    },
}

impl AskForm {
    /// The execution client that the hosts have to be; unknown for any.
    pub(crate) const fn kind(self) -> Kind {
        match self {
            Self::Protocol3 { .. } => Kind::Unknown,
            Self::Protocol2 { kind, .. } => kind,
        }
    }

    const fn wanted(self) -> usize {
        match self {
            Self::Protocol3 { .. } => 1,
            Self::Protocol2 { wanted, .. } => wanted as usize,
        }
    }
}

impl PendingAsk {
    /// Counts one more try to find a host. Returns false after `most` tries, plus one for each host found.
    pub(crate) fn try_again(&mut self, most: u32) -> bool {
        let got = u32::try_from(self.got.len()).unwrap_or(u32::MAX);
        let exhausted = self.tries >= most.saturating_add(got);
        self.tries = self.tries.saturating_add(1);
        !exhausted
    }

    /// Adds a host that admitted the client. Returns true if the request is complete.
    pub(crate) fn take(&mut self, leased: LeasedHost) -> bool {
        self.got.push(leased);
        self.got.len() >= self.form.wanted()
    }
}

impl PendingAsks {
    pub(crate) fn len(&self) -> usize {
        self.asks.len()
    }

    pub(crate) fn contains(&self, client: u32) -> bool {
        self.asks.contains_key(&client)
    }

    pub(crate) fn get_mut(&mut self, client: u32) -> Option<&mut PendingAsk> {
        self.asks.get_mut(&client)
    }

    /// The execution client that a client's hosts have to be; unknown for any.
    pub(crate) fn kind(&self, client: u32) -> Kind {
        self.asks.get(&client).map(|ask| ask.form.kind()).unwrap_or_default()
    }

    /// Adds a request. Returns its number.
    pub(crate) fn insert(&mut self, client: u32, connection: ConnectionId, request: RequestId, form: AskForm) -> u64 {
        self.last = self.last.saturating_add(1);
        let number = self.last;
        self.asks.insert(client, PendingAsk { number, connection, request, tries: 0, form, got: Vec::new() });
        number
    }

    /// Removes a client's request.
    pub(crate) fn remove(&mut self, client: u32) -> Option<PendingAsk> {
        self.asks.remove(&client)
    }

    /// Sets the deadline of a request.
    pub(crate) fn arm(&mut self, client: u32, number: u64, due: Ms) {
        self.deadlines.push(due, (client, number));
    }

    /// Returns a due deadline: the client, and whether its request still waits.
    pub(crate) fn pop_due(&mut self, now: Ms) -> Option<(u32, bool)> {
        let (client, number) = self.deadlines.pop_due(now)?;
        Some((client, self.asks.get(&client).is_some_and(|ask| ask.number == number)))
    }

    pub(crate) fn next_deadline(&self) -> Option<Ms> {
        self.deadlines.next()
    }

    pub(crate) const fn deadlines(&self) -> usize {
        self.deadlines.len()
    }

    /// The clients with a pending request, for checks.
    pub(crate) fn clients(&self) -> impl Iterator<Item = u32> {
        self.asks.keys().copied()
    }
}
