use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tokio::time::Instant;
use vipnode_types::{Amount, Price};

use super::roles::DemoRole;
use crate::output::{Tone, format::slot_costs};

/// What happened so far, put together from the events of each process.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    /// Node ids on the wire, by name.
    names: BTreeMap<String, DemoRole>,
    pub(super) price: Price,
    pub(super) pool: Option<String>,
    pub(super) joined: BTreeSet<DemoRole>,
    pub(super) ended: BTreeSet<DemoRole>,
    leases: BTreeMap<u64, DemoLease>,
    /// The last error of each.
    errors: BTreeMap<DemoRole, (String, String)>,
    /// The last line that each logged.
    last_logs: BTreeMap<DemoRole, String>,
}

/// A lease as its two sides reported it.
#[derive(Debug, Clone, Copy)]
pub(super) struct DemoLease {
    pub(super) number: u64,
    pub(super) host: DemoRole,
    pub(super) client: DemoRole,
    client_up: Option<Instant>,
    host_up: Option<Instant>,
    over: Option<Instant>,
}

/// One line of the demo.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TimelineEntry {
    pub(super) tone: Tone,
    pub(super) text: String,
}

/// The digits of a lease's number that differ within a demo; its pool counts on from the time of its start.
const LEASE_DIGITS: u64 = 1_000_000;

/// A lease for people: the end of its number.
pub(super) fn lease_name(number: u64) -> String {
    format!("…{:06}", number % LEASE_DIGITS)
}

impl Timeline {
    pub(super) fn new(names: BTreeMap<String, DemoRole>, price: Price) -> Self {
        Self { names, price, ..Self::default() }
    }

    /// Handles an event of a process; returns what is worth showing.
    pub(super) fn hear(&mut self, now: Instant, who: DemoRole, said: &Value) -> Option<TimelineEntry> {
        let text = said.get("text").and_then(Value::as_str).unwrap_or_default();
        match said.get("event").and_then(Value::as_str).unwrap_or_default() {
            "listening" => {
                let url = said.get("url").and_then(Value::as_str).unwrap_or_default();
                self.pool = Some(url.to_owned());
                good(format!("listening on {url}; {}", slot_costs(self.price)))
            }
            "joined" => {
                self.joined.insert(who);
                good("joined the pool".to_owned())
            }
            "offering" if said.get("slots").and_then(Value::as_u64) == Some(0) && !self.joined.contains(&who) => None,
            "offering" | "hosts_missing" | "node_disconnected" | "node_reconnected" | "pool_disconnected"
            | "pool_refused" | "pool_unreachable" | "pool_untrusted" => plain(after_name(text)),
            "error" => {
                let hint = said.get("hint").and_then(Value::as_str).unwrap_or_default();
                self.errors.insert(who, (text.to_owned(), hint.to_owned()));
                None
            }
            "log" => {
                self.last_logs.insert(who, text.to_owned());
                None
            }
            "ended" => {
                self.ended.insert(who);
                for lease in self.leases.values_mut().filter(|lease| lease.host == who || lease.client == who) {
                    lease.over.get_or_insert(now);
                }
                None
            }
            event => self.hear_of_lease(now, who, event, said),
        }
    }

    fn hear_of_lease(&mut self, now: Instant, who: DemoRole, event: &str, said: &Value) -> Option<TimelineEntry> {
        let number = said.get("lease").and_then(Value::as_u64)?;
        let peer = *self.names.get(said.get("peer").and_then(Value::as_str)?)?;
        let (host, client) = if matches!(who, DemoRole::Host(_)) { (who, peer) } else { (peer, who) };
        let fresh = DemoLease { number, host, client, client_up: None, host_up: None, over: None };
        let lease = self.leases.entry(number).or_insert(fresh);
        match event {
            "client_admitted" => plain(format!("admitted {client} (lease {})", lease_name(number))),
            "host_assigned" => plain(format!("was assigned {host}; dialing")),
            "host_connected" => {
                lease.client_up.get_or_insert(now);
                let ms = said.get("after_ms").and_then(Value::as_u64).unwrap_or_default();
                good(format!("connected to {host} {ms} ms after the assignment{}", lease.meter_begins()))
            }
            "client_connected" => {
                lease.host_up.get_or_insert(now);
                plain(format!("reported {client} connected{}", lease.meter_begins()))
            }
            "host_lost" => {
                lease.over.get_or_insert(now);
                Some(TimelineEntry { tone: Tone::Warning, text: format!("lost {host}; asking for another host") })
            }
            "client_evicted" => {
                lease.over.get_or_insert(now);
                plain(format!("evicted {client}"))
            }
            _ => None,
        }
    }

    pub(super) fn leases(&self) -> impl Iterator<Item = &DemoLease> {
        self.leases.values()
    }

    /// Whether the meter of a lease of this client runs.
    pub(super) fn is_served(&self, client: DemoRole) -> bool {
        self.leases.values().any(|lease| lease.client == client && lease.runs())
    }

    /// Clients that a host serves now.
    pub(super) fn clients_of(&self, host: DemoRole) -> usize {
        self.leases.values().filter(|lease| lease.host == host && lease.runs()).count()
    }

    /// The last error that a process reported, and its hint; the last line of its log if it ended without reporting one.
    pub(super) fn error_of(&self, who: DemoRole) -> Option<(String, String)> {
        let logged = || self.last_logs.get(&who).map(|line| (line.clone(), String::new()));
        self.errors.get(&who).cloned().or_else(logged)
    }
}

impl DemoLease {
    /// The time since which both sides are connected to each other; `None` before.
    fn since(&self) -> Option<Instant> {
        Some(self.client_up?.max(self.host_up?))
    }

    pub(super) fn runs(&self) -> bool {
        self.since().is_some() && self.over.is_none()
    }

    /// The time for which both sides were connected to each other, in milliseconds.
    pub(super) fn metered_ms(&self, now: Instant) -> u64 {
        let until = self.over.unwrap_or(now);
        let metered = self.since().map(|since| until.saturating_duration_since(since)).unwrap_or_default();
        u64::try_from(metered.as_millis()).unwrap_or(u64::MAX)
    }

    pub(super) fn cost(&self, price: Price, now: Instant) -> Amount {
        price.cost(self.metered_ms(now)).unwrap_or_default()
    }

    fn meter_begins(&self) -> &'static str {
        if self.runs() { "; the meter is running" } else { "" }
    }
}

#[expect(clippy::unnecessary_wraps, reason = "each arm of a match returns whether there is something to show")]
fn good(text: String) -> Option<TimelineEntry> {
    Some(TimelineEntry { tone: Tone::Good, text })
}

#[expect(clippy::unnecessary_wraps, reason = "as above")]
fn plain(text: String) -> Option<TimelineEntry> {
    Some(TimelineEntry { tone: Tone::Plain, text })
}

/// A notice as it continues a line that begins with who printed it.
fn after_name(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    const HOST: DemoRole = DemoRole::Host(0);
    const CLIENT: DemoRole = DemoRole::Client(0);

    fn timeline() -> Timeline {
        let names = [("aa".to_owned(), HOST), ("bb".to_owned(), CLIENT)];
        Timeline::new(names.into(), Price::per_minute(60_000))
    }

    #[test]
    fn a_meter_runs_while_both_sides_see_each_other() {
        let (mut timeline, start) = (timeline(), Instant::now());
        let at = |s| start + Duration::from_secs(s);
        timeline.hear(at(0), HOST, &json!({"event": "client_admitted", "lease": 7, "peer": "bb"}));
        timeline.hear(at(1), CLIENT, &json!({"event": "host_connected", "lease": 7, "peer": "aa", "after_ms": 9}));
        assert!(!timeline.is_served(CLIENT));
        let shown = timeline.hear(at(2), HOST, &json!({"event": "client_connected", "lease": 7, "peer": "bb"}));
        assert!(shown.unwrap().text.ends_with("the meter is running"));
        assert!(timeline.is_served(CLIENT) && timeline.clients_of(HOST) == 1);
        timeline.hear(at(5), CLIENT, &json!({"event": "host_lost", "lease": 7, "peer": "aa"}));
        assert!(!timeline.is_served(CLIENT));
        let lease = *timeline.leases().next().unwrap();
        assert_eq!(lease.metered_ms(at(9)), 3_000);
        assert_eq!(lease.cost(timeline.price, at(9)), Amount::new(3_000));
    }

    #[test]
    fn strangers_and_nonsense_are_passed_over() {
        let (mut timeline, now) = (timeline(), Instant::now());
        for said in [json!({}), json!({"event": 1}), json!({"event": "host_connected", "lease": 1, "peer": "cc"})] {
            assert_eq!(timeline.hear(now, CLIENT, &said), None);
        }
        assert_eq!(timeline.leases().count(), 0);
    }
}
