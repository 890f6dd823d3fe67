use vipnode_agent::{AgentMetrics, MetricsServer, limits::MetricsLimits};

use crate::{
    args::MetricsArgs,
    error::{CliError, CommandError},
    output::{Line, Screen, Tone},
};

/// Serves an agent's metrics for as long as the server lives, if the user asked for it.
pub(crate) async fn serve(
    args: &MetricsArgs,
    limits: MetricsLimits,
    screen: Screen,
) -> Result<Option<(AgentMetrics, MetricsServer)>, CliError> {
    let Some(address) = args.address()? else { return Ok(None) };
    let metrics = AgentMetrics::default();
    let server = MetricsServer::bind(address, metrics.clone(), limits).await;
    let server = server.map_err(|error| CommandError::MetricsBind { address, error })?;
    let url = format!("http://{}/metrics", server.local_addr());
    screen.say(&Line::new("metrics", Tone::Plain, format!("Metrics: {url}")).with("url", url.as_str()));
    Ok(Some((metrics, server)))
}
