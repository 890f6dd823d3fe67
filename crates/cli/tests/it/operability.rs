//! The dashboard and the alerts use only existing metrics. `real_prometheus` checks them with Prometheus's own tools.

use std::collections::BTreeSet;

use crate::support::packaged::{alerts, dashboard_expressions, known_metrics, metrics_of, panels, text};

/// What Prometheus itself adds.
const OF_PROMETHEUS: [&str; 2] = ["up", "ALERTS"];

fn unknown(expressions: &[String]) -> Vec<String> {
    let known = known_metrics();
    let read = expressions.iter().flat_map(|expr| metrics_of(expr));
    read.filter(|metric| !OF_PROMETHEUS.contains(&metric.as_str()) && !known.contains(metric)).collect()
}

#[test]
fn the_reader_of_expressions_finds_what_they_read() {
    for (expr, metrics) in [
        ("a > 0.5 * max_over_time(b_total{x=~\"c|d\"}[1d])", &["a", "b_total"][..]),
        ("sum by (job, e) (rate(a{f=\"g\"}[5m])) * 60 > on (h) group_left (i) b", &["a", "b"]),
        ("time() - (a > 0) unless b offset 1d", &["a", "b"]),
        ("sum(rate(a[5m]))", &["a"]),
    ] {
        assert_eq!(metrics_of(expr).into_iter().collect::<Vec<_>>(), metrics, "{expr}");
    }
}

#[test]
fn every_panel_reads_metrics_that_there_are() {
    let expressions = dashboard_expressions();
    assert!(expressions.len() > 30 && expressions.iter().all(|expr| !metrics_of(expr).is_empty()));
    assert_eq!(unknown(&expressions), [""; 0]);
}

#[test]
fn every_panel_can_be_read_by_people() {
    let (mut ids, mut places) = (BTreeSet::new(), BTreeSet::new());
    for panel in panels() {
        let title = panel["title"].as_str().unwrap();
        assert!(!title.is_empty() && panel["description"].as_str().is_some_and(|text| text.ends_with('.')), "{panel}");
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{title}: its number is taken");
        let at = |name: &str| panel["gridPos"][name].as_u64().unwrap();
        assert!(at("x") + at("w") <= 24 && places.insert((at("x"), at("y"))), "{title}: its place is taken");
    }
}

/// The first row, before everything else, is for a glance.
#[test]
fn the_dashboard_begins_with_whether_it_is_well_now() {
    let panels = panels();
    let first: Vec<String> = panels.iter().take(9).map(|panel| panel["type"].as_str().unwrap().to_owned()).collect();
    assert_eq!(first, ["stat"; 9]);
    let read: BTreeSet<String> = panels
        .iter()
        .take(9)
        .flat_map(|panel| panel["targets"].as_array().unwrap())
        .flat_map(|target| metrics_of(target["expr"].as_str().unwrap()))
        .collect();
    for metric in ["up", "ALERTS", "vipnode_agent_node_up", "vipnode_agent_pool_connected"] {
        assert!(read.contains(metric), "{metric} is not in {read:?}");
    }
}

#[test]
fn every_alert_reads_metrics_that_there_are() {
    let expressions: Vec<String> = alerts().into_iter().map(|(_, expr)| expr).collect();
    assert!(expressions.len() > 10);
    assert_eq!(unknown(&expressions), [""; 0]);
}

#[test]
fn every_alert_has_a_test_in_which_it_fires_and_one_in_which_it_does_not() {
    let tests = text("prometheus/alerts_test.yml");
    for (alert, _) in alerts() {
        let test = tests.split("  - name: ").find(|test| test.starts_with(&format!("{alert}\n")));
        let test = test.unwrap_or_else(|| panic!("{alert} has no test"));
        assert!(test.contains(&format!("alertname=\"{alert}\", alertstate=\"firing\"")), "{alert} never fires");
        assert!(test.contains("exp_samples: []"), "{alert} fires always");
    }
}

#[test]
fn every_alert_says_what_it_means_and_what_to_do() {
    let rules = text("prometheus/alerts.yml");
    let rules: Vec<&str> = rules.split("      - alert: ").skip(1).collect();
    assert_eq!(rules.len(), alerts().len());
    for rule in rules {
        for part in ["severity: ", "summary: ", "description: "] {
            assert!(rule.contains(part), "no {part}in {rule}");
        }
    }
}
