use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use vipnode_types::{Ms, NodeId, ShortNodeId, UtcDay, wire::DailyLine};

/// What a host meters itself of the leases that cost something: when its node was connected with which client. It is compared with
/// the statements that the pool signs.
///
/// The pool bills the time that both sides reported. A host does not know what a client reported, so a difference beyond the bounds
/// is not yet a wrong bill, but a reason to look. Both directions are compared: that a billing period is not longer than what the
/// host saw during it, and that all that the host saw is in some billing period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OwnMeter {
    /// Since when the host meters without a gap in the statements.
    since: Ms,
    /// When it last looked at its leases.
    observed: Ms,
    /// The days whose statements were compared, from that of `since` on.
    days: BTreeSet<UtcDay>,
    clients: BTreeMap<ShortNodeId, OwnClient>,
}

/// What a host metered of one client.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct OwnClient {
    /// When it was connected: from and to, the oldest first.
    spans: Vec<[Ms; 2]>,
    /// How long it was connected before these, in milliseconds.
    earlier_ms: u64,
    /// What the pool billed for it, in milliseconds.
    billed_ms: u64,
    /// In how many billing periods.
    periods: u64,
    /// The last time at which both sides were connected to each other in one of these.
    billed_until: Ms,
}

/// How a statement differs from what the host metered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MeterDifference {
    /// In how many cases, at least 1.
    pub(crate) cases: u64,
    /// The client with the largest difference.
    pub(crate) client: ShortNodeId,
    /// What the pool billed for it, in milliseconds.
    pub(crate) billed_ms: u64,
    /// What the host metered, in milliseconds.
    pub(crate) metered_ms: u64,
}

/// How often the host looks at its leases, in milliseconds.
pub(super) const OBSERVE_MS: u64 = 60 * 1_000;
/// What the pool may leave out of a billing period: an interval between two reports, and the host's between two looks.
const PERIOD_MS: u64 = 60_000 + OBSERVE_MS;
/// How far the clocks of the host and the pool may differ, in milliseconds.
const CLOCKS_MS: u64 = 5 * 60 * 1_000;
/// A billing period lasts at most 24 hours, and may be posted an hour later, in milliseconds.
const LONGEST_PERIOD_MS: u64 = 26 * 60 * 60 * 1_000;
/// What is older than this many days is only kept as a sum. If the statement of a day is still missing then, the comparison begins
/// again without it.
const DAYS: u32 = 10;
/// Clients that are compared; further ones are not metered.
const CLIENTS: usize = 20_000;
/// Spans of one client; beyond it, the oldest is only kept as a sum.
const SPANS: usize = 256;

impl OwnMeter {
    /// A meter that begins now.
    pub(super) fn new(now: Ms) -> Self {
        Self { since: now, observed: now, days: BTreeSet::new(), clients: BTreeMap::new() }
    }

    /// Whether the host began to meter after this day.
    pub(super) fn began_after(&self, day: UtcDay) -> bool {
        day < UtcDay::of(self.since)
    }

    /// Adds the clients that are connected now and pay, each with the time since when it is connected.
    pub(super) fn observe(&mut self, now: Ms, clients: impl Iterator<Item = (NodeId, Ms)>) {
        for (client, connected) in clients {
            let client = ShortNodeId::of(&client);
            if self.clients.len() >= CLIENTS && !self.clients.contains_key(&client) {
                continue;
            }
            let own = self.clients.entry(client).or_default();
            match own.spans.last_mut() {
                Some([_, to]) if connected <= *to => *to = now.max(*to),
                // A lease that was free until then, as in a trial, was connected before.
                _ => own.spans.push([connected.max(self.observed).min(now), now]),
            }
            if own.spans.len() > SPANS {
                own.forget_first();
            }
        }
        self.observed = now;
    }

    /// Compares the statement of a day, each once, with what was metered. Returns the differences beyond the bounds.
    pub(super) fn compare<'line>(
        &mut self,
        day: UtcDay,
        lines: impl Iterator<Item = &'line DailyLine>,
    ) -> Option<MeterDifference> {
        if self.began_after(day) || !self.days.insert(day) {
            return None;
        }
        let mut found = None;
        for line in lines.filter(|line| !line.price.is_free()) {
            let Some((first, last)) = line.first_ms.zip(line.last_ms).filter(|(_, last)| *last > self.since) else {
                continue;
            };
            let own = self.clients.entry(line.counterpart).or_default();
            own.billed_until = own.billed_until.max(last);
            own.periods = own.periods.saturating_add(u64::from(line.merged)).saturating_add(1);
            if line.merged > 0 {
                // The periods that were merged into it have no times.
                own.billed_ms = own.billed_ms.saturating_add(line.billed_ms);
                continue;
            }
            // What was before the meter began is not compared.
            let billed_ms = line.billed_ms.min(last.since(first.max(self.since)));
            own.billed_ms = own.billed_ms.saturating_add(billed_ms);
            let metered_ms = own.metered_ms(first.minus(CLOCKS_MS), last.plus(CLOCKS_MS));
            if billed_ms > metered_ms.saturating_add(CLOCKS_MS).saturating_add(PERIOD_MS) {
                MeterDifference::add(&mut found, line.counterpart, billed_ms, metered_ms);
            }
        }
        self.compare_unbilled(&mut found);
        self.forget_old(day);
        found
    }

    /// Compares what was metered and must be billed by now with what was billed.
    fn compare_unbilled(&mut self, found: &mut Option<MeterDifference>) {
        let Some(complete) = self.complete_until() else { return };
        let must_be_billed = complete.minus(LONGEST_PERIOD_MS);
        for (client, own) in &mut self.clients {
            let until = must_be_billed.max(own.billed_until.min(complete));
            let metered_ms = own.earlier_ms.saturating_add(own.metered_ms(Ms::ZERO, until));
            let bound_ms = own.periods.saturating_add(1).saturating_mul(PERIOD_MS).saturating_add(CLOCKS_MS);
            if metered_ms > own.billed_ms.saturating_add(bound_ms) {
                MeterDifference::add(found, *client, own.billed_ms, metered_ms);
                // Each difference is shown once.
                own.billed_ms = metered_ms;
            }
        }
    }

    /// The end of the last day up to which all statements were compared.
    fn complete_until(&self) -> Option<Ms> {
        let first = UtcDay::of(self.since);
        let mut end = self.days.contains(&first).then(|| first.end())?;
        while self.days.contains(&UtcDay::of(end)) {
            end = UtcDay::of(end).end();
        }
        Some(end)
    }

    /// Drops what is too old to be in a further billing period.
    fn forget_old(&mut self, day: UtcDay) {
        let earliest = day.minus_days(DAYS);
        let complete = self.complete_until().unwrap_or(self.since);
        if complete <= earliest.start() {
            // The statement of a day between is missing: what was billed that day is not known.
            *self = Self { observed: self.observed, ..Self::new(day.end()) };
            return;
        }
        for own in self.clients.values_mut() {
            while own.spans.first().is_some_and(|[_, to]| *to < earliest.start()) {
                own.forget_first();
            }
        }
        self.clients.retain(|_, own| !own.spans.is_empty() || own.billed_until >= earliest.start());
        if earliest > UtcDay::of(self.since) {
            self.since = earliest.start();
            self.days = self.days.split_off(&earliest);
        }
    }
}

impl OwnClient {
    /// How long it was connected within this time, in milliseconds.
    fn metered_ms(&self, from: Ms, to: Ms) -> u64 {
        let within = self.spans.iter().map(|[begin, end]| (*end).min(to).since((*begin).max(from)));
        within.fold(0, u64::saturating_add)
    }

    fn forget_first(&mut self) {
        if !self.spans.is_empty() {
            let [from, to] = self.spans.remove(0);
            self.earlier_ms = self.earlier_ms.saturating_add(to.since(from));
        }
    }
}

impl MeterDifference {
    /// Adds a case; that with the largest difference is kept.
    fn add(found: &mut Option<Self>, client: ShortNodeId, billed_ms: u64, metered_ms: u64) {
        let cases = found.map_or(0, |found| found.cases).saturating_add(1);
        let larger = found.filter(|found| found.billed_ms.abs_diff(found.metered_ms) >= billed_ms.abs_diff(metered_ms));
        let largest = larger.unwrap_or(Self { cases, client, billed_ms, metered_ms });
        *found = Some(Self { cases, ..largest });
    }
}

#[cfg(test)]
mod tests {
    use vipnode_types::{Account, Amount, LeaseId, PoolKey, Price};

    use super::*;

    const MINUTE: u64 = 60_000;
    const HOUR: u64 = 60 * MINUTE;
    const CLIENT: NodeId = NodeId::new([7; 64]);

    fn day() -> UtcDay {
        "2026-11-28".parse().unwrap()
    }

    fn next(day: UtcDay) -> UtcDay {
        UtcDay::of(day.end())
    }

    /// The client is connected from one time to another.
    fn connected(meter: &mut OwnMeter, from: Ms, to: Ms) {
        let mut now = from.plus(OBSERVE_MS);
        while now < to {
            meter.observe(now, [(CLIENT, from)].into_iter());
            now = now.plus(OBSERVE_MS);
        }
        meter.observe(to, std::iter::empty());
    }

    /// A billing period that the pool posted.
    fn line(first: Ms, last: Ms) -> DailyLine {
        let key = PoolKey::from_random([6; 32]).unwrap();
        DailyLine {
            entry: 1,
            lease: LeaseId::new(1),
            row: 0,
            counterpart: ShortNodeId::of(&CLIENT),
            first_ms: Some(first),
            last_ms: Some(last),
            billed_ms: last.since(first),
            merged: 0,
            price: Price::per_minute(60),
            cost: Amount::ZERO,
            secured: Amount::ZERO,
            fee: Amount::ZERO,
            meter: key.meter_of(&Account::new([1; 20])),
            interval: [Amount::ZERO, Amount::ZERO],
        }
    }

    #[test]
    fn honest_statements_do_not_differ_also_over_midnight_and_with_another_clock() {
        let begin = day().start().plus(HOUR);
        let mut meter = OwnMeter::new(begin);
        let ends = begin.plus(30 * HOUR);
        connected(&mut meter, begin.plus(MINUTE), ends);
        connected(&mut meter, ends.plus(HOUR), ends.plus(2 * HOUR));
        // The clock of the pool is ahead, and it bills what both reported.
        let ahead = |time: Ms| time.plus(CLOCKS_MS - MINUTE);
        let rollover = begin.plus(24 * HOUR);
        assert_eq!(meter.compare(day(), std::iter::empty()), None, "nothing is over yet");
        let lines = [
            line(ahead(begin.plus(2 * MINUTE)), ahead(rollover)),
            line(ahead(rollover), ahead(ends.minus(MINUTE))),
            line(ahead(ends.plus(HOUR + MINUTE)), ahead(ends.plus(2 * HOUR))),
        ];
        let mut meter_of_merged = meter.clone();
        assert_eq!(meter.compare(next(day()), lines.iter()), None);
        let merged =
            DailyLine { merged: 2, billed_ms: lines.iter().map(|line| line.billed_ms).sum(), ..lines[2].clone() };
        assert_eq!(meter_of_merged.compare(next(day()), [merged].iter()), None, "of all three periods");
        assert_eq!(meter.compare(next(next(day())), std::iter::empty()), None);
    }

    #[test]
    fn time_that_is_not_billed_is_shown_once() {
        let begin = day().start().plus(HOUR);
        let mut meter = OwnMeter::new(begin);
        connected(&mut meter, begin, begin.plus(10 * HOUR));
        assert_eq!(meter.compare(day(), std::iter::empty()), None, "the billing period may end on the next day");
        let half = line(begin, begin.plus(5 * HOUR));
        let differs = meter.compare(next(day()), [half].iter()).unwrap();
        let MeterDifference { cases, client, billed_ms, metered_ms } = differs;
        assert_eq!((cases, client, billed_ms), (1, ShortNodeId::of(&CLIENT), 5 * HOUR));
        assert!(metered_ms.abs_diff(10 * HOUR) <= MINUTE, "{metered_ms}");
        assert_eq!(meter.compare(next(next(day())), std::iter::empty()), None);
    }

    #[test]
    fn time_in_which_no_client_was_connected_is_not_billed() {
        let begin = day().start();
        let mut meter = OwnMeter::new(begin);
        connected(&mut meter, begin, begin.plus(HOUR));
        let lines = [line(begin, begin.plus(HOUR)), line(begin.plus(3 * HOUR), begin.plus(4 * HOUR))];
        let differs = meter.compare(day(), lines.iter()).unwrap();
        assert_eq!((differs.cases, differs.billed_ms, differs.metered_ms), (1, HOUR, 0));
        assert_eq!(meter.compare(day(), lines.iter()), None, "each day is compared once");
    }

    #[test]
    fn what_was_before_the_meter_began_is_not_compared_and_neither_is_what_is_free() {
        let begin = day().start().plus(12 * HOUR);
        let mut meter = OwnMeter::new(begin);
        connected(&mut meter, begin, begin.plus(HOUR));
        let free = DailyLine { price: Price::FREE, ..line(begin, begin.plus(9 * HOUR)) };
        let lines =
            [line(begin.minus(11 * HOUR), begin.plus(HOUR)), line(begin.minus(9 * HOUR), begin.minus(HOUR)), free];
        assert_eq!(meter.compare(day(), lines.iter()), None);
        assert_eq!(meter.compare(next(day()), std::iter::empty()), None);
        assert_eq!(meter.compare(day().minus_days(1), [line(Ms::ZERO, begin)].iter()), None);
    }

    /// What was billed on a day whose statement the host did not get is not known.
    #[test]
    fn a_day_without_a_statement_is_waited_for_and_then_left_out() {
        let begin = day().start();
        let mut meter = OwnMeter::new(begin);
        connected(&mut meter, begin, begin.plus(10 * HOUR));
        let mut later = next(next(day()));
        assert_eq!(meter.compare(day(), std::iter::empty()), None);
        let complete = meter.clone().compare(next(day()), std::iter::empty());
        assert_eq!(complete.unwrap().billed_ms, 0);
        for _ in 0..=DAYS {
            assert_eq!(meter.compare(later, std::iter::empty()), None);
            later = next(later);
        }
        assert!(meter.clients.is_empty() && meter.since > day().end(), "{meter:?}");
    }

    #[test]
    fn a_connection_that_began_before_its_lease_cost_something_counts_from_then_on() {
        let begin = day().start();
        let mut meter = OwnMeter::new(begin);
        let free_until = begin.plus(5 * HOUR);
        meter.observe(free_until, std::iter::empty());
        meter.observe(free_until.plus(MINUTE), [(CLIENT, begin)].into_iter());
        meter.observe(free_until.plus(2 * MINUTE), [(CLIENT, begin)].into_iter());
        let own = &meter.clients[&ShortNodeId::of(&CLIENT)];
        assert_eq!(own.spans, [[free_until, free_until.plus(2 * MINUTE)]]);
    }

    #[test]
    fn old_spans_are_kept_as_a_sum_and_many_clients_are_not_metered() {
        let begin = day().start();
        let mut meter = OwnMeter::new(begin);
        let mut now = begin;
        for _ in 0..SPANS + 5 {
            let came = now.plus(MINUTE);
            now = came.plus(MINUTE);
            meter.observe(now, [(CLIENT, came)].into_iter());
        }
        let own = &meter.clients[&ShortNodeId::of(&CLIENT)];
        assert_eq!((own.spans.len(), own.earlier_ms), (SPANS, 5 * MINUTE));
        let number = |number: u32| {
            let mut bytes = [0; 64];
            bytes[..4].copy_from_slice(&number.to_be_bytes());
            NodeId::new(bytes)
        };
        let many = u32::try_from(CLIENTS).unwrap() + 9;
        meter.observe(now, (0..many).map(|client| (number(client), now)));
        assert_eq!(meter.clients.len(), CLIENTS);
        let json = serde_json::to_string(&meter).unwrap();
        assert_eq!(serde_json::from_str::<OwnMeter>(&json).unwrap(), meter);
    }
}
