use std::collections::{BTreeMap, VecDeque};

use vipnode_types::{Account, Ms, NodeId};

use crate::{
    Limits, MeteredPeriod, Row, RowKey,
    agents::Agents,
    collections::{address_block::AddressBlock, block_shares::BlockShares, by_index::ByIndex, deadlines::Deadlines},
    metering::{
        Metering,
        hourly_rows::{HOUR_MS, HourlyRows, hour, most},
        unpaired::Pair,
    },
    output::Output,
};

/// A period that waits is written to the store at most this often, so that a crash loses at most so much of it.
const WRITTEN_EACH_MS: u64 = 1_000;

/// Billing periods that are over and not written yet.
///
/// A node can end a period with each report of each lease, and could fill the journal. Once it, or the address block of one of
/// the two nodes, has ended as many in an hour as it may, each of its pairs has one period that waits: what ends further is
/// added to it, and it is written in the next hour. The address blocks of clients share the room for periods that wait.
/// Without room, a period is written at once, but the clients in a block that has ended too many begin no further ones
/// in this hour ([`Metering::lacks_periods`]).
#[derive(Debug)]
pub(crate) struct PeriodMerger {
    nodes: ByIndex<PeriodsOfHour>,
    written: HourlyRows,
    deferred: BTreeMap<Sides, DeferredPeriod>,
    due: Deadlines<Sides>,
    /// Periods that changed since the store got them, and when it gets them again.
    changed: VecDeque<(Ms, Sides)>,
    shares: BlockShares,
}

/// The client and the host of a period.
type Sides = (NodeId, NodeId);

/// A period that waits.
#[derive(Debug)]
struct DeferredPeriod {
    row: Box<MeteredPeriod>,
    /// The client's address block, to which it counts; `None` for members, and for one that waited before a restart.
    block: Option<AddressBlock>,
    /// When the store got it.
    written: Ms,
    /// It is in the list of changed periods.
    changed: bool,
    /// The last time for which a check is planned whether its hour has passed.
    due: Ms,
}

/// A period that is over.
#[derive(Debug)]
pub(crate) struct EndedPeriod {
    pub(crate) pair: Pair,
    pub(crate) client: PeriodShare,
    pub(crate) host: PeriodShare,
    pub(crate) row: MeteredPeriod,
}

/// What the periods of a node count for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PeriodShare {
    /// The node's address block, if address blocks are distinguished.
    block: Option<AddressBlock>,
    /// Whether the node is proven.
    proven: bool,
}

/// How many periods a node ended in an hour, in four bytes, for every node has one.
#[derive(Debug, Clone, Copy, Default)]
struct PeriodsOfHour {
    /// The number of the hour modulo 2^16.
    hour: u16,
    rows: u16,
}

impl PeriodMerger {
    pub(crate) fn new() -> Self {
        Self {
            nodes: ByIndex::new(),
            written: HourlyRows::default(),
            deferred: BTreeMap::new(),
            due: Deadlines::new(),
            changed: VecDeque::new(),
            shares: BlockShares::new(0),
        }
    }

    /// Takes in a period that is over: writes it, or has it wait.
    pub(crate) fn take(&mut self, output: &mut Output, ended: EndedPeriod, limits: &Limits) {
        let (EndedPeriod { pair, client, host, mut row }, now) = (ended, output.now);
        let many = [pair.client, pair.host].into_iter().map(|node| self.count(node, now)).max().unwrap_or(0);
        let blocks = [client.block, host.block];
        let full = blocks.into_iter().flatten().any(|block| self.written.is_full(now, block, limits));
        let sides = (row.lease.client, row.lease.host);
        let (mut written, mut planned) = (None, None);
        if let Some(before) = self.remove(&sides) {
            written = Some((before.written, before.changed));
            planned = Some(before.due);
            let terms = |row: &MeteredPeriod| (row.lease.payee, row.lease.payer, row.lease.fee_bps, row.lease.trial);
            if terms(&before.row) == terms(&row) {
                row.add(&before.row);
            } else {
                output.persist(Row::Metered(before.row));
                self.written.add(now, blocks, limits);
            }
        }
        let row = Box::new(row);
        if (full || many > limits.periods_an_hour) && self.has_room(client, limits) {
            let (written, changed) = self.write(output, sides, &row, written);
            let due = next_hour(now);
            self.wait(sides, DeferredPeriod { row, block: client.block, written, changed, due }, planned);
        } else {
            output.persist(Row::Metered(row));
            self.written.add(now, blocks, limits);
            if written.is_some() {
                output.persist(Row::Delete(RowKey::Deferred(sides.0, sides.1)));
            }
        }
    }

    /// Writes a period that waits, or plans that, where the store got it a moment ago. Returns when it was written, and whether
    /// it is listed as changed since.
    fn write(
        &mut self,
        output: &mut Output,
        sides: Sides,
        row: &MeteredPeriod,
        before: Option<(Ms, bool)>,
    ) -> (Ms, bool) {
        let now = output.now;
        match before {
            Some((written, changed)) if now.since(written) < WRITTEN_EACH_MS => {
                if !changed {
                    self.changed.push_back((written.plus(WRITTEN_EACH_MS), sides));
                }
                (written, true)
            }
            _ => {
                output.persist(Row::Deferred(Box::new(row.clone())));
                (now, false)
            }
        }
    }

    /// Writes a period that waits and changed. Returns false if none is due.
    pub(crate) fn write_changed(&mut self, output: &mut Output) -> bool {
        let now = output.now;
        let Some((due, sides)) = self.changed.front().copied().filter(|(due, _)| *due <= now) else { return false };
        self.changed.pop_front();
        // It may have been written in between, and have changed since: then it is listed again.
        let is_due = |deferred: &&mut DeferredPeriod| deferred.changed && deferred.written.plus(WRITTEN_EACH_MS) == due;
        if let Some(deferred) = self.deferred.get_mut(&sides).filter(is_due) {
            (deferred.written, deferred.changed) = (now, false);
            output.persist(Row::Deferred(deferred.row.clone()));
        }
        true
    }

    /// Writes all periods that wait and changed, at the end of the pool.
    pub(crate) fn write_all_changed(&mut self, output: &mut Output) {
        for deferred in self.deferred.values_mut().filter(|deferred| deferred.changed) {
            deferred.written = output.now;
            output.persist(Row::Deferred(deferred.row.clone()));
        }
    }

    /// Writes all periods that wait to the journal.
    pub(crate) fn write_all(&mut self, output: &mut Output) {
        for (sides, deferred) in std::mem::take(&mut self.deferred) {
            deferred.block.into_iter().for_each(|block| self.shares.give_back(block));
            output.persist(Row::Metered(deferred.row));
            output.persist(Row::Delete(RowKey::Deferred(sides.0, sides.1)));
        }
    }

    /// Whether the periods of a client are used up in this hour: its address block has ended as many as it may, and there is no
    /// room in which a further one could wait.
    fn is_used_up(&self, client: PeriodShare, now: Ms, limits: &Limits) -> bool {
        let full = client.block.is_some_and(|block| self.written.is_full(now, block, limits));
        full && !self.has_room(client, limits)
    }

    /// Writes a period that waited for its hour to pass. Returns false if there is none.
    pub(crate) fn write_due(&mut self, output: &mut Output, limits: &Limits) -> bool {
        let Some(sides) = self.due.pop_due(output.now) else { return false };
        // One that was written since began to wait again in this hour.
        let hour_passed = |deferred: &DeferredPeriod| hour(deferred.row.ended) < hour(output.now);
        if self.deferred.get(&sides).is_some_and(hour_passed)
            && let Some(deferred) = self.remove(&sides)
        {
            self.written.add(output.now, [deferred.block, None], limits);
            output.persist(Row::Metered(deferred.row));
            output.persist(Row::Delete(RowKey::Deferred(sides.0, sides.1)));
        }
        true
    }

    /// A period that waited before a restart.
    pub(crate) fn restore(&mut self, row: MeteredPeriod) {
        let (sides, ended) = ((row.lease.client, row.lease.host), row.ended);
        let due = next_hour(ended);
        self.wait(sides, DeferredPeriod { row: Box::new(row), block: None, written: ended, changed: false, due }, None);
    }

    /// The periods that wait, by client and host.
    pub(crate) fn deferred(&self) -> impl Iterator<Item = &MeteredPeriod> {
        self.deferred.values().map(|deferred| &*deferred.row)
    }

    /// Until when periods of a client wait that another account pays for, or none; `None` if none wait. All that wait have the same
    /// payer.
    pub(crate) fn other_payer_until(&self, client: NodeId, payer: Account) -> Option<Ms> {
        let (sides, waiting) = self.deferred.range((client, NodeId::new([0; 64]))..).next()?;
        (sides.0 == client && waiting.row.lease.payer != Some(payer)).then_some(waiting.due)
    }

    /// Whether one more period of a client may wait. All that wait are written in the next hour, so a block has as many as it may
    /// write in one; of those, a proven client takes whatever is free.
    fn has_room(&self, client: PeriodShare, limits: &Limits) -> bool {
        let len = u32::try_from(self.deferred.len()).unwrap_or(u32::MAX);
        let free = limits.waiting_periods.saturating_sub(len);
        let Some(block) = client.block else { return free > 0 };
        let [most, most_of_wide] = most(limits);
        let few = self.shares.held_by(block) < most && self.shares.held_by_wide(block.wide()) < most_of_wide;
        free > 0 && few && (client.proven || self.shares.may_take(block, free))
    }

    fn remove(&mut self, sides: &Sides) -> Option<DeferredPeriod> {
        let deferred = self.deferred.remove(sides)?;
        deferred.block.into_iter().for_each(|block| self.shares.give_back(block));
        Some(deferred)
    }

    /// Forgets a node.
    pub(crate) fn forget(&mut self, node: u32) {
        self.nodes.take(node);
    }

    /// Has a period wait. A check for the same time may be `planned` already: one for each period that is added would fill memory.
    fn wait(&mut self, sides: Sides, deferred: DeferredPeriod, planned: Option<Ms>) {
        deferred.block.into_iter().for_each(|block| self.shares.take(block));
        if planned != Some(deferred.due) {
            self.due.push(deferred.due, sides);
        }
        self.deferred.insert(sides, deferred);
    }

    /// Counts one more period of a node; returns how many it ended in this hour.
    fn count(&mut self, node: u32, now: Ms) -> u32 {
        let Some(count) = self.nodes.get_mut(node) else { return 0 };
        let hour = u16::try_from(hour(now) % (1 << 16)).unwrap_or(0);
        if count.hour != hour {
            *count = PeriodsOfHour { hour, rows: 0 };
        }
        count.rows = count.rows.saturating_add(1);
        count.rows.into()
    }

    /// Checks that are planned, of periods that wait.
    #[cfg(test)]
    pub(crate) fn planned(&self) -> usize {
        self.due.len()
    }

    #[cfg(test)]
    pub(crate) fn heap_bytes(&self) -> usize {
        self.nodes.heap_bytes()
    }
}

impl PeriodShare {
    /// What the periods of a node count for.
    pub(crate) fn of(node: u32, agents: &Agents, limits: &Limits) -> Self {
        let block = agents.address(node).map(AddressBlock::of).filter(|_| !limits.members_only);
        Self { block, proven: agents.is_proven(node) }
    }
}

impl Metering {
    /// A billing period is over: writes it, or has it wait.
    pub(crate) fn period_ended(&mut self, output: &mut Output, ended: EndedPeriod, limits: &Limits) {
        self.rows.take(output, ended, limits);
    }

    /// Writes a period that waits and changed to the store. Returns false if none is due.
    pub(crate) fn write_changed_period(&mut self, output: &mut Output) -> bool {
        self.rows.write_changed(output)
    }

    /// Writes all periods that wait and changed to the store, at the end of the pool.
    pub(crate) fn write_changed_periods(&mut self, output: &mut Output) {
        self.rows.write_all_changed(output);
    }

    /// Writes a period whose hour has passed to the journal. Returns false if there is none.
    pub(crate) fn write_due_period(&mut self, output: &mut Output, limits: &Limits) -> bool {
        self.rows.write_due(output, limits)
    }

    /// Writes all periods that wait to the journal.
    pub(crate) fn write_all_periods(&mut self, output: &mut Output) {
        self.rows.write_all(output);
    }

    /// Takes in a period that waited before a restart.
    pub(crate) fn restore_deferred(&mut self, row: MeteredPeriod) {
        self.rows.restore(row);
    }

    /// The periods that wait.
    pub(crate) fn deferred(&self) -> impl Iterator<Item = &MeteredPeriod> {
        self.rows.deferred()
    }

    /// Until when periods of a client wait that another account pays for, or none; `None` if none wait.
    pub(crate) fn other_payer_until(&self, client: NodeId, payer: Account) -> Option<Ms> {
        self.rows.other_payer_until(client, payer)
    }

    /// Checks that are planned, of periods that wait.
    #[cfg(test)]
    pub(crate) fn planned_writes(&self) -> usize {
        self.rows.planned()
    }

    /// Whether a client is to begin no further periods in this hour, with hosts that it has none with.
    pub(crate) fn lacks_periods(&self, client: u32, now: Ms, agents: &Agents, limits: &Limits) -> bool {
        self.rows.is_used_up(PeriodShare::of(client, agents, limits), now, limits)
    }

    /// Whether a client is to begin no further period in this hour with a host. While one of the pair waits, further ones are
    /// added to it.
    pub(crate) fn lacks_periods_with(&self, pair: Pair, now: Ms, agents: &Agents, limits: &Limits) -> bool {
        let sides = agents.id(pair.client).zip(agents.id(pair.host));
        let waits = || sides.is_some_and(|sides| self.rows.deferred.contains_key(&sides));
        self.lacks_periods(pair.client, now, agents, limits) && !waits()
    }
}

/// When the next hour begins.
pub(crate) fn next_hour(now: Ms) -> Ms {
    Ms::new(u64::from(hour(now)).saturating_add(1).saturating_mul(HOUR_MS))
}
