//! Reads the metrics of a pool or an agent.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{interval, timeout},
};

use super::{SOON, Vipnode};

/// The body of what an address answers with 200.
pub async fn get(address: &str, target: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {target} HTTP/1.0\r\nhost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    timeout(SOON, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(" 200 "), "{head}");
    body.to_owned()
}

/// Where an agent with `--metrics-bind` serves its metrics: host and port.
pub async fn shown_at(agent: &mut Vipnode) -> String {
    let event = agent.event("metrics").await;
    event["url"].as_str().unwrap().trim_start_matches("http://").trim_end_matches("/metrics").to_owned()
}

/// One number, with its label if it has one.
pub async fn number(address: &str, metric: &str) -> i64 {
    let text = get(address, "/metrics").await;
    let line = text.lines().find_map(|line| line.strip_prefix(metric)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {metric} in:\n{text}")).parse().unwrap()
}

/// Looks until the numbers are as wanted; no event shows that one moved, so it looks again every 50 ms.
pub async fn numbers_until(address: &str, wanted: &[(&str, i64)]) {
    for (metric, value) in wanted {
        let looking = async {
            let mut ticks = interval(Duration::from_millis(50));
            loop {
                ticks.tick().await;
                if number(address, metric).await == *value {
                    return;
                }
            }
        };
        let looked = timeout(SOON, looking).await;
        assert!(looked.is_ok(), "{metric} is {} and not {value}", number(address, metric).await);
    }
}
