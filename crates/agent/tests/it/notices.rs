//! What an agent shows of the texts and events of others.

use std::time::Duration;

use serde_json::json;
use vipnode_agent::{AgentNotice, limits::NoticeLimits};
use vipnode_agent_core::Notice;
use vipnode_types::{Price, wire::method};

use crate::fake_pool::{Running, Toy, within};

/// A pool can name another lease each time, so that no notice repeats one.
#[tokio::test(start_paused = true)]
async fn a_pool_that_varies_its_calls_does_not_flood_the_user() {
    let mut toy = Toy::new();
    let client = toy.peer("client", 2);
    let mut config = toy.config();
    config.notice_limits = NoticeLimits { notices_of_a_kind: 3, notice_window: Duration::from_secs(60) };
    let mut agent = Running::of(config);
    let end = toy.accept(json!([])).await;
    for lease in 1..=100_u64 {
        end.call(method::ADMIT, json!({"lease": lease, "client": client.id, "price": Price::FREE})).await.unwrap();
        end.call(method::EVICT, json!({"lease": lease, "peer": client.id, "reason": "left"})).await.unwrap();
    }
    agent.runner.stop();
    let (mut shown, mut counted) = (0, 0);
    while let Some(notice) = within(agent.notices.recv()).await {
        match notice {
            AgentNotice::Notice(Notice::ClientAdmitted { .. }) => shown += 1,
            AgentNotice::Omitted { notice, count } => {
                let admitted = matches!(*notice, AgentNotice::Notice(Notice::ClientAdmitted { .. }));
                counted += if admitted { count } else { 0 };
            }
            _ => {}
        }
    }
    assert_eq!((shown, counted), (3, 97));
    within(agent.runner.join()).await.unwrap();
    drop(end);
}
