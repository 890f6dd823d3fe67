use std::fmt::Write;

use prometheus_client::{encoding::text::encode_registry, metrics::family::Family, registry::Registry};

use crate::{Counter, Gauge, Kind, Labelled, MetricRow};

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
    /// An empty table; each name in it begins with the prefix.
    #[must_use]
    pub fn new(prefix: &'static str) -> Self {
        Self { prefix, registry: Registry::with_prefix(prefix), rows: Vec::new() }
    }

    /// A number that goes up and down.
    pub fn gauge(&mut self, name: &'static str, help: &'static str) -> Gauge {
        let gauge = Gauge::default();
        self.registry.register(name, help, gauge.clone());
        self.add(name, Kind::Gauge, None, help);
        gauge
    }

    /// A number that only grows; `_total` is put behind its name.
    pub fn counter(&mut self, name: &'static str, help: &'static str) -> Counter {
        let counter = Counter::default();
        self.registry.register(name, help, counter.clone());
        self.add(name, Kind::Counter, None, help);
        counter
    }

    /// Counters that differ by one label. All are there from the start: what appears only with its first event has no
    /// rise that Prometheus could see.
    pub fn counters(
        &mut self,
        name: &'static str,
        help: &'static str,
        label: &'static str,
        values: impl IntoIterator<Item = &'static str>,
    ) -> Labelled {
        let family = Family::<[(&'static str, &'static str); 1], Counter>::default();
        self.registry.register(name, help, family.clone());
        let values: Vec<&'static str> = values.into_iter().collect();
        let counters = values.iter().map(|value| (*value, family.get_or_create_owned(&[(label, *value)])));
        let counters = Labelled::new(counters.collect());
        self.add(name, Kind::Counter, Some((label, values)), help);
        counters
    }

    /// What there is, in the order in which it was added.
    #[must_use]
    pub fn rows(&self) -> &[MetricRow] {
        &self.rows
    }

    /// Everything as it is now, in Prometheus' text format. The library writes OpenMetrics, in which the name of a
    /// counter lacks its `_total` where it is explained; older readers and `promtool check metrics` need it there.
    #[must_use]
    pub fn text(&self) -> String {
        let mut open = String::new();
        // Writing into a string fails never.
        let _infallible = encode_registry(&mut open, &self.registry);
        let mut text = String::with_capacity(open.len().saturating_mul(2));
        for line in open.lines() {
            let _infallible = match self.explained(line) {
                Some((what, counter, rest)) => writeln!(text, "# {what} {counter}_total {rest}"),
                None => writeln!(text, "{line}"),
            };
        }
        text
    }

    /// A line that explains a counter: `HELP` or `TYPE`, its name, and the rest.
    fn explained<'a>(&self, line: &'a str) -> Option<(&'a str, &'a str, &'a str)> {
        let (what, rest) = line.strip_prefix("# ")?.split_once(' ')?;
        let (name, rest) = rest.split_once(' ')?;
        let counter = |row: &&MetricRow| row.kind == Kind::Counter && row.name.strip_suffix("_total") == Some(name);
        self.rows.iter().find(counter).map(|_| (what, name, rest))
    }

    fn add(
        &mut self,
        name: &'static str,
        kind: Kind,
        label: Option<(&'static str, Vec<&'static str>)>,
        help: &'static str,
    ) {
        let end = if kind == Kind::Counter { "_total" } else { "" };
        let name = format!("{}_{name}{end}", self.prefix);
        self.rows.push(MetricRow { name, kind, label, help });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{follow, show};

    #[test]
    fn what_is_scraped_is_what_the_table_says() {
        let mut table = MetricTable::new("house");
        let cats = table.gauge("cats", "Cats in it");
        let meals = table.counter("meals", "Meals eaten");
        let doors = table.counters("doors_opened", "Doors opened", "door", ["front", "back"]);
        show(&cats, u64::MAX);
        follow(&meals, 7);
        doors.inc("back");
        doors.inc("window");
        doors.follow("front", 3);
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
