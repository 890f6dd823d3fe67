use std::net::IpAddr;

use vipnode_types::{Ms, wire::WireError};

use crate::{
    ConnectionId, Effect, MeteredPeriod, Reply, RequestId, Row, SendWhen, Steps,
    collections::address_block::AddressBlock,
};

/// The effects of one `handle`: rows first, then everything else in order.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) now: Ms,
    rows: Vec<Row>,
    effects: Vec<Effect>,
    steps: Steps,
}

impl Output {
    pub(crate) const fn new(now: Ms) -> Self {
        Self::with_buffer(now, Vec::new())
    }

    /// As [`Self::new`], with the memory of an empty list, so that an answer allocates none.
    pub(crate) const fn with_buffer(now: Ms, effects: Vec<Effect>) -> Self {
        Self { now, rows: Vec::new(), effects, steps: Steps::new() }
    }

    pub(crate) fn persist(&mut self, row: Row) {
        self.rows.push(row);
    }

    pub(crate) fn push(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    /// Finished billing periods that this command has written.
    pub(crate) fn metered(&self) -> Vec<MeteredPeriod> {
        let metered = |row: &Row| if let Row::Metered(period) = row { Some((**period).clone()) } else { None };
        self.rows.iter().filter_map(metered).collect()
    }

    /// Whether this command has written rows.
    pub(crate) const fn writes(&self) -> bool {
        !self.rows.is_empty()
    }

    /// Answers once all rows persisted so far are durable.
    pub(crate) fn reply_durably(&mut self, connection: ConnectionId, request: RequestId, reply: Reply) {
        self.push(Effect::Reply { connection, request, reply: Ok(reply), when: SendWhen::AfterCommit });
    }

    /// Answers at once.
    pub(crate) fn reply(&mut self, connection: ConnectionId, request: RequestId, reply: Result<Reply, WireError>) {
        self.push(Effect::Reply { connection, request, reply, when: SendWhen::Now });
    }

    /// Counts steps of a search for the agent at an address.
    pub(crate) fn count_steps(&mut self, address: Option<IpAddr>, steps: u32) {
        if let Some(address) = address {
            self.steps.add(AddressBlock::of(address), steps);
        }
    }

    /// Steps of searches so far.
    pub(crate) fn steps(&self) -> u32 {
        self.steps.total()
    }

    pub(crate) fn finish(self, out: &mut Vec<Effect>) -> Steps {
        self.finish_with_buffer(out).0
    }

    /// As [`Self::finish`]; returns the empty list too, for the next command.
    pub(crate) fn finish_with_buffer(mut self, out: &mut Vec<Effect>) -> (Steps, Vec<Effect>) {
        if !self.rows.is_empty() {
            out.push(Effect::Persist(self.rows));
        }
        out.append(&mut self.effects);
        (self.steps, self.effects)
    }
}
