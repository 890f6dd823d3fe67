use std::fmt::Write;

use vipnode_agent::AgentMetrics;
use vipnode_metrics::MetricRow;
use vipnode_pool::PoolMetrics;

const INTRO: &str = "\
# Metrics and alerts

<!-- Written by `vipnode man --metrics`; a test compares them. -->

A pool serves its metrics at `/metrics` on its own port. An agent serves its metrics if you pass `--metrics-bind`:

```sh
vipnode host wss://pool.example.org --metrics-bind 9464
curl http://127.0.0.1:9464/metrics
```

If you pass only a port, the agent listens on the loopback address. An address that other machines can reach also requires
`--metrics-open`, because anyone who can reach it can read the metrics. A proxy with TLS and a password is safer. In a
container, bind `0.0.0.0:9464`, and publish the port only to the machine that scrapes it. No metric contains a node ID, an
account, or an address.

The Prometheus files are in `packaging/prometheus` and in the `prometheus` directory of the release archive:

| file | |
|---|---|
| `prometheus.yml` | scrape jobs; copy them into your configuration and insert your own addresses |
| `alerts.yml` | alerts that require action by an operator, each with its meaning and what to do |
| `alerts_test.yml` | tests of the alerts: `promtool test rules alerts_test.yml` |

`packaging/grafana/vipnode.json` is a dashboard for pools and agents. Its first row shows whether there are current
problems. To import it in Grafana, choose **Dashboards > New > Import**.

To scrape a pool with TLS, add these lines to its scrape job. With a certificate from Let's Encrypt, leave out `tls_config`:

```yaml
scheme: https
tls_config:
  ca_file: ca.pem # of --tls internal, or of your own CA
  server_name: pool.example.org # if the target's name is not in the certificate
```
";

/// The metrics of pools and agents, as a page of the book.
pub(crate) fn metrics_page() -> String {
    let mut page = INTRO.to_owned();
    table(&mut page, "Agent metrics", AgentMetrics::default().rows());
    table(&mut page, "Pool metrics", PoolMetrics::default().rows());
    page
}

fn table(page: &mut String, title: &str, rows: &[MetricRow]) {
    // Writing into a string cannot fail.
    let _infallible = write!(page, "\n## {title}\n\n| metric | type | meaning |\n|---|---|---|\n");
    for row in rows {
        let label = row.label.as_ref().map(|(label, values)| format!(". `{label}`: {}", values.join(", ")));
        let label = label.unwrap_or_default();
        let _infallible = writeln!(page, "| `{}` | {} | {}{label} |", row.name, row.kind.name(), row.help);
    }
}
