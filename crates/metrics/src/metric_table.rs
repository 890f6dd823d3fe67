use std::fmt::Write;

use prometheus_client::{encoding::text::encode_registry, metrics::family::Family, registry::Registry};

use crate::{AmountGauge, Counter, Gauge, LabeledCounters, LabeledGauges, MetricKind, MetricRow, SecondsCounter};

/// The `Content-Type` of [`MetricTable::text`].
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// All metrics of one program.
#[derive(Debug)]
pub struct MetricTable {
    prefix: &'static str,
    registry: Registry,
    rows: Vec<MetricRow>,
}

impl MetricTable {
    /// An empty table; every name in it starts with the prefix.
    #[must_use]
    pub fn new(prefix: &'static str) -> Self {
        Self { prefix, registry: Registry::with_prefix(prefix), rows: Vec::new() }
    }

    /// Adds a gauge.
    pub fn gauge(&mut self, name: &'static str, help: &'static str) -> Gauge {
        let gauge = Gauge::default();
        self.registry.register(name, help, gauge.clone());
        self.add(name, MetricKind::Gauge, None, help);
        gauge
    }

    /// Adds a gauge of an amount.
    pub fn amount(&mut self, name: &'static str, help: &'static str) -> AmountGauge {
        let gauge = AmountGauge::default();
        self.registry.register(name, help, gauge.clone());
        self.add(name, MetricKind::Gauge, None, help);
        gauge
    }

    /// Adds a counter; `_total` is appended to its name.
    pub fn counter(&mut self, name: &'static str, help: &'static str) -> Counter {
        let counter = Counter::default();
        self.registry.register(name, help, counter.clone());
        self.add(name, MetricKind::Counter, None, help);
        counter
    }

    /// Adds a counter of seconds with a fraction; `_total` is appended to its name.
    pub fn seconds(&mut self, name: &'static str, help: &'static str) -> SecondsCounter {
        let counter = SecondsCounter::default();
        self.registry.register(name, help, counter.clone());
        self.add(name, MetricKind::Counter, None, help);
        counter
    }

    /// Adds counters that differ by one label. All exist from the start: Prometheus could not see the first increase of
    /// a counter that appears with its first event.
    pub fn counters(
        &mut self,
        name: &'static str,
        help: &'static str,
        label: &'static str,
        values: impl IntoIterator<Item = &'static str>,
    ) -> LabeledCounters {
        let family = Family::<[(&'static str, &'static str); 1], Counter>::default();
        self.registry.register(name, help, family.clone());
        let values: Vec<&'static str> = values.into_iter().collect();
        let counters = values.iter().map(|value| (*value, family.get_or_create_owned(&[(label, *value)])));
        let counters = LabeledCounters::new(counters.collect());
        self.add(name, MetricKind::Counter, Some((label, values)), help);
        counters
    }

    /// Adds gauges that differ by one label. All exist from the start.
    pub fn states(
        &mut self,
        name: &'static str,
        help: &'static str,
        label: &'static str,
        values: impl IntoIterator<Item = &'static str>,
    ) -> LabeledGauges {
        let family = Family::<[(&'static str, &'static str); 1], Gauge>::default();
        self.registry.register(name, help, family.clone());
        let values: Vec<&'static str> = values.into_iter().collect();
        let gauges = values.iter().map(|value| (*value, family.get_or_create_owned(&[(label, *value)])));
        let gauges = LabeledGauges::new(gauges.collect());
        self.add(name, MetricKind::Gauge, Some((label, values)), help);
        gauges
    }

    /// All metrics, in the order in which they were added.
    #[must_use]
    pub fn rows(&self) -> &[MetricRow] {
        &self.rows
    }

    /// All metrics as they are now, in the text format of Prometheus. The library writes OpenMetrics, where the `HELP`
    /// and `TYPE` lines of a counter lack its `_total`; older readers and `promtool check metrics` need it there.
    #[must_use]
    pub fn text(&self) -> String {
        let mut open = String::new();
        // Writing into a string cannot fail.
        let _infallible = encode_registry(&mut open, &self.registry);
        let mut text = String::with_capacity(open.len().saturating_mul(2));
        for line in open.lines() {
            let _infallible = match self.counter_header(line) {
                Some((what, counter, rest)) => writeln!(text, "# {what} {counter}_total {rest}"),
                None => writeln!(text, "{line}"),
            };
        }
        text
    }

    /// The parts of a counter's `HELP` or `TYPE` line: which of the two, the name, and the rest.
    fn counter_header<'a>(&self, line: &'a str) -> Option<(&'a str, &'a str, &'a str)> {
        let (what, rest) = line.strip_prefix("# ")?.split_once(' ')?;
        let (name, rest) = rest.split_once(' ')?;
        let counter =
            |row: &&MetricRow| row.kind == MetricKind::Counter && row.name.strip_suffix("_total") == Some(name);
        self.rows.iter().find(counter).map(|_| (what, name, rest))
    }

    fn add(
        &mut self,
        name: &'static str,
        kind: MetricKind,
        label: Option<(&'static str, Vec<&'static str>)>,
        help: &'static str,
    ) {
        let end = if kind == MetricKind::Counter { "_total" } else { "" };
        let name = format!("{}_{name}{end}", self.prefix);
        self.rows.push(MetricRow { name, kind, label, help });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{set_counter, set_gauge};

    #[test]
    fn what_is_scraped_is_what_the_table_says() {
        let mut table = MetricTable::new("house");
        let cats = table.gauge("cats", "Cats in it");
        let meals = table.counter("meals", "Meals eaten");
        let doors = table.counters("doors_opened", "Doors opened", "door", ["front", "back"]);
        set_gauge(&cats, u64::MAX);
        set_counter(&meals, 7);
        doors.inc("back");
        doors.inc("window");
        doors.set("front", 3);
        let text = table.text();
        for line in [
            "# HELP house_cats Cats in it.",
            "# TYPE house_cats gauge",
            "house_cats 9223372036854775807",
            "# HELP house_meals_total Meals eaten.",
            "# TYPE house_meals_total counter",
            "house_meals_total 7",
            "# TYPE house_doors_opened_total counter",
            "house_doors_opened_total{door=\"front\"} 3",
            "house_doors_opened_total{door=\"back\"} 1",
        ] {
            assert!(text.lines().any(|there| there == line), "{line} is not in:\n{text}");
        }
        assert!(!text.contains("window") && !text.contains("EOF"), "{text}");
        let names: Vec<&str> = table.rows().iter().map(|row| row.name.as_str()).collect();
        assert_eq!(names, ["house_cats", "house_meals_total", "house_doors_opened_total"]);
        for name in names {
            assert!(text.contains(&format!("# TYPE {name} ")), "{name} is not in:\n{text}");
        }
    }
}
