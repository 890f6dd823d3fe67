use vipnode_agent::{AgentMetrics, MetricsServer};

use crate::{
    args::MetricsArgs,
    error::Failure,
    output::{Line, Screen, Tone},
};

/// Shows an agent's numbers where the user wants them, for as long as the server lives; without that, to nobody.
pub(crate) async fn serve(
    args: &MetricsArgs,
    screen: Screen,
) -> Result<Option<(AgentMetrics, MetricsServer)>, Failure> {
    let Some(address) = args.address()? else { return Ok(None) };
    let metrics = AgentMetrics::default();
    let server = MetricsServer::bind(address, metrics.clone()).await.map_err(|error| {
        Failure::new(format!("--metrics-bind {address}: {error}"), "--metrics-bind with another port that is free")
    })?;
    let url = format!("http://{}/metrics", server.local_addr());
    screen.say(&Line::new("metrics", Tone::Plain, format!("for monitoring: {url}")).with("url", url.as_str()));
    Ok(Some((metrics, server)))
}
