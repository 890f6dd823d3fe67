use std::fmt::Write;

use vipnode_agent::AgentMetrics;
use vipnode_metrics::MetricRow;
use vipnode_pool::PoolMetrics;

const INTRO: &str = "\
# Metrics and alerts

<!-- Written by `vipnode man --metrics`; a test compares them. -->

A pool shows its numbers at `/metrics` of its own port. An agent does where it is told to:

```sh
vipnode host wss://pool.example.org --metrics-bind 9464
curl http://127.0.0.1:9464/metrics
```

A port alone is one of this machine only. An address that others reach wants `--metrics-open` too, for anybody there may
read how the agent fares; a proxy with TLS and a password is better. In a container the address is
`0.0.0.0:9464`, and the port is published to whoever scrapes alone. No metric names a node, an account or an address.

For Prometheus there are, in `packaging/prometheus` and in the archive's folder `prometheus`:

| file | |
|---|---|
| `prometheus.yml` | what to scrape; copy its jobs into yours and put your addresses in |
| `alerts.yml` | rules that call for a human, each with what it means and what to do |
| `alerts_test.yml` | when each of them fires and when not: `promtool test rules alerts_test.yml` |

`packaging/grafana/vipnode.json` is a dashboard over pools and agents: in Grafana, Dashboards, New, Import.
";

/// What pools and agents measure, as a page of the book.
pub(crate) fn metrics_page() -> String {
    let mut page = INTRO.to_owned();
    table(&mut page, "Of an agent", AgentMetrics::default().rows());
    table(&mut page, "Of a pool", PoolMetrics::default().rows());
    page
}

fn table(page: &mut String, title: &str, rows: &[MetricRow]) {
    // Writing into a string fails never.
    let _infallible = write!(page, "\n## {title}\n\n| metric | kind | |\n|---|---|---|\n");
    for row in rows {
        let label = row.label.as_ref().map(|(label, values)| format!(". `{label}`: {}", values.join(", ")));
        let label = label.unwrap_or_default();
        let _infallible = writeln!(page, "| `{}` | {} | {}{label} |", row.name, row.kind.name(), row.help);
    }
}
