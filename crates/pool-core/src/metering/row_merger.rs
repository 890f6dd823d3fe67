use std::collections::BTreeMap;

use vipnode_types::{Ms, NodeId};

use crate::{
    Limits, MeteredRow, Row, RowKey,
    collections::{by_index::ByIndex, deadlines::Deadlines},
    metering::unpaired::Pair,
    output::Output,
};

const HOUR_MS: u64 = 60 * 60 * 1000;

/// The client and the host of a row.
type Sides = (NodeId, NodeId);

/// Rows of the meter that are over and not written yet.
///
/// A node can end a row with each report of each lease, and could fill the journal. Once it has ended as many in an hour as
/// it may, each of its pairs has one row that waits: what ends further is added to it, and it is written in the next hour.
#[derive(Debug)]
pub(crate) struct RowMerger {
    nodes: ByIndex<RowsOfHour>,
    waiting: BTreeMap<Sides, Box<MeteredRow>>,
    due: Deadlines<Sides>,
}

/// How many rows a node ended in an hour, in four bytes, for every node has one.
#[derive(Debug, Clone, Copy, Default)]
struct RowsOfHour {
    /// The number of the hour modulo 2^16.
    hour: u16,
    rows: u16,
}

impl RowMerger {
    pub(crate) fn new() -> Self {
        Self { nodes: ByIndex::new(), waiting: BTreeMap::new(), due: Deadlines::new() }
    }

    /// Takes in a row that is over: writes it, or has it wait.
    pub(crate) fn take(&mut self, output: &mut Output, pair: Pair, mut row: MeteredRow, limits: &Limits) {
        let now = output.now;
        let many = [pair.client, pair.host].into_iter().map(|node| self.count(node, now)).max().unwrap_or(0);
        let sides = (row.lease.client, row.lease.host);
        let before = self.waiting.remove(&sides);
        let waited = before.is_some();
        match before {
            Some(before) if before.lease.payee == row.lease.payee => row.add(&before),
            Some(before) => output.persist(Row::Metered(before)),
            None => {}
        }
        let row = Box::new(row);
        if many > limits.rows_an_hour && self.waiting.len() < limits.waiting_rows as usize {
            output.persist(Row::Waiting(row.clone()));
            self.wait(sides, row, now);
        } else {
            output.persist(Row::Metered(row));
            if waited {
                output.persist(Row::Delete(RowKey::Waiting(sides.0, sides.1)));
            }
        }
    }

    /// Writes a row that waited for its hour to pass. Returns false if there is none.
    pub(crate) fn write_due(&mut self, output: &mut Output) -> bool {
        let Some(sides) = self.due.pop_due(output.now) else { return false };
        // One that was written since began to wait again in this hour.
        let hour_passed = |row: &MeteredRow| hour(row.ended) < hour(output.now);
        if self.waiting.get(&sides).is_some_and(|row| hour_passed(row))
            && let Some(row) = self.waiting.remove(&sides)
        {
            output.persist(Row::Metered(row));
            output.persist(Row::Delete(RowKey::Waiting(sides.0, sides.1)));
        }
        true
    }

    /// A row that waited before a restart.
    pub(crate) fn restore(&mut self, row: MeteredRow) {
        let (sides, ended) = ((row.lease.client, row.lease.host), row.ended);
        self.wait(sides, Box::new(row), ended);
    }

    /// The rows that wait, by client and host.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = &MeteredRow> {
        self.waiting.values().map(|row| &**row)
    }

    /// Forgets a node.
    pub(crate) fn forget(&mut self, node: u32) {
        self.nodes.take(node);
    }

    fn wait(&mut self, sides: Sides, row: Box<MeteredRow>, now: Ms) {
        if self.waiting.insert(sides, row).is_none() {
            let next = u64::from(hour(now)).saturating_add(1).saturating_mul(HOUR_MS);
            self.due.push(Ms::new(next), sides);
        }
    }

    /// Counts one more row of a node; returns how many it ended in this hour.
    fn count(&mut self, node: u32, now: Ms) -> u32 {
        let Some(count) = self.nodes.get_mut(node) else { return 0 };
        let hour = u16::try_from(hour(now) % (1 << 16)).unwrap_or(0);
        if count.hour != hour {
            *count = RowsOfHour { hour, rows: 0 };
        }
        count.rows = count.rows.saturating_add(1);
        count.rows.into()
    }

    #[cfg(test)]
    pub(crate) fn heap_bytes(&self) -> usize {
        self.nodes.heap_bytes()
    }
}

fn hour(now: Ms) -> u32 {
    u32::try_from(now.get() / HOUR_MS).unwrap_or(u32::MAX)
}
