//! The role between a simulated node and a pool that the test simulates.

use std::sync::atomic::Ordering;

use futures_util::{FutureExt, StreamExt};

use crate::fake_pool::{CHALLENGE, POOL, Running, Toy, read, within};
use serde_json::{Value, json};
use vipnode_agent::{AgentError, AgentNotice, PoolAddress, planned_release, release};
use vipnode_agent_core::Notice;
use vipnode_types::{
    JoinSecret, Ms, NodeId, PeerCommand, Price, TypedError,
    signed::Envelope,
    wire::{ConnectRequest, method},
};

fn admit(lease: u64, client: NodeId) -> Value {
    json!({"lease": lease, "client": client, "price": Price::FREE})
}

fn connected(notice: &Notice) -> Option<()> {
    matches!(notice, Notice::HostConnected { .. } | Notice::ClientConnected { .. }).then_some(())
}

#[tokio::test(start_paused = true)]
async fn the_first_call_is_signed_for_this_socket_and_pool() {
    let mut toy = Toy::new();
    let agent = toy.spawn();
    let mut end = crate::fake_pool::PoolEnd::from(within(toy.ends.recv()).await.unwrap());
    let (params, _responder) = end.expect(method::CONNECT).await;
    let (object, envelope): (Box<serde_json::value::RawValue>, Envelope) = read(&params);
    assert_eq!((envelope.audience.as_str(), envelope.nonce.as_str()), (POOL, CHALLENGE));
    let now = Ms::new(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis().try_into().unwrap());
    envelope.verify(now, method::CONNECT, object.get()).unwrap();
    let request: ConnectRequest = read(&object);
    let proof = request.join.unwrap();
    assert!(JoinSecret::new("club").unwrap().accepts(&proof, &toy.id, CHALLENGE));
    assert_eq!(request.host.unwrap().slots, 10);
    agent.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn d51_stopping_undoes_everything_on_both_sides() {
    let mut toy = Toy::new();
    let (host, client) = (toy.peer("host", 1), toy.peer("client", 2));
    let mut agent = toy.spawn();
    let mut end = toy.accept(json!([])).await;
    end.give(1, &host).await;
    agent.notice(connected).await;
    end.call(method::ADMIT, admit(2, client.id)).await.unwrap();
    assert!(toy.trusted(client.id), "the answer follows the command to the node");
    assert!(toy.connected(host.id).await);
    assert_eq!(toy.journaled(), 2);
    let pool = tokio::spawn(async move {
        end.expect(method::BYE).await.1.respond(Ok(json!({})));
        end.answer_all().await;
    });
    agent.stop().await.unwrap();
    within(pool).await.unwrap();
    assert!(!toy.trusted(client.id) && !toy.connected(host.id).await);
    assert_eq!(toy.journaled(), 0);
}

/// Twenty times, because it was a race with the agent's look at the node.
#[tokio::test(start_paused = true)]
async fn a_peer_that_the_agent_did_not_bring_survives_admit_dial_and_evict() {
    for _ in 0..20 {
        let mut toy = Toy::new();
        let client = toy.peer("client", 2);
        let agent = toy.spawn();
        let mut end = toy.accept(json!([])).await;
        end.expect(method::REPORT).await.1.respond(Ok(json!({})));
        toy.net.node(client.id).call(PeerCommand::Dial(toy.node_enode())).await.unwrap();
        while !toy.connected(client.id).await {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        let mut gone = toy.node.events().await.unwrap();
        end.call(method::ADMIT, admit(2, client.id)).await.unwrap();
        let dial = json!({"lease": 2, "side": "host", "peer": client.enode(), "price": Price::FREE});
        end.call(method::DIAL, dial).await.unwrap();
        let evict = json!({"lease": 2, "peer": client.id, "reason": "left"});
        end.call(method::EVICT, evict).await.unwrap();
        assert!(!toy.trusted(client.id));
        assert!(toy.connected(client.id).await, "the connection is the node's own");
        assert!(gone.next().now_or_never().is_none(), "and stood all the while");
        agent.runner.abort().await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_agents_own_time_to_a_connection_is_short() {
    let mut toy = Toy::new();
    let host = toy.peer("host", 1);
    let mut agent = toy.spawn();
    let mut end = toy.accept(json!([])).await;
    end.give(1, &host).await;
    let after = agent
        .notice(|notice| match notice {
            Notice::HostConnected { after_ms, .. } => *after_ms,
            _ => None,
        })
        .await;
    // The simulated dial itself takes 10 ms.
    assert!(after <= 110, "{after} ms");
    agent.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn d40_a_pool_that_disconnects_is_found_again_and_ends_nothing() {
    let mut toy = Toy::new();
    let host = toy.peer("host", 1);
    let mut agent = toy.spawn();
    let mut end = toy.accept(json!([])).await;
    end.give(1, &host).await;
    agent.notice(connected).await;
    end.expect_up(1).await;
    toy.connector.open.store(false, Ordering::Relaxed);
    end.close("the pool restarts");
    agent.notice(|notice| matches!(notice, Notice::PoolDisconnected { .. }).then_some(())).await;
    // Refused again and again meanwhile, on the paused clock.
    tokio::time::sleep(std::time::Duration::from_secs(100)).await;
    assert!(toy.connected(host.id).await);
    toy.connector.open.store(true, Ordering::Relaxed);
    let lease = json!({"lease": 1, "side": "client", "peer": host.enode(), "price": Price::FREE});
    let mut end = toy.accept(json!([lease])).await;
    let (params, responder) = end.expect(method::REPORT).await;
    let (report,): (Value,) = read(&params);
    assert_eq!(report["full"], json!([{"lease": 1, "continuous": true}]));
    responder.respond(Ok(json!({})));
    assert!(toy.connected(host.id).await);
    agent.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn d40_a_half_open_socket_is_given_up() {
    let mut toy = Toy::new();
    let agent = toy.spawn();
    // It takes the request and never answers.
    let silent = within(toy.ends.recv()).await.unwrap();
    let end = toy.accept(json!([])).await;
    drop((silent, end));
    agent.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn d40_a_node_that_disconnects_is_found_again_and_gets_its_peers_again() {
    let mut toy = Toy::new();
    let client = toy.peer("client", 2);
    let mut agent = toy.spawn();
    let end = toy.accept(json!([])).await;
    end.call(method::ADMIT, admit(1, client.id)).await.unwrap();
    let pool = tokio::spawn(end.answer_all());
    toy.net.stop(toy.id);
    agent.notice(|notice| matches!(notice, Notice::NodeDisconnected { .. }).then_some(())).await;
    assert!(!toy.trusted(client.id), "a node forgets");
    toy.net.start(toy.id);
    agent.notice(|notice| matches!(notice, Notice::NodeReconnected).then_some(())).await;
    let notified = async {
        while !toy.trusted(client.id) {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    };
    within(notified).await;
    agent.stop().await.unwrap();
    within(pool).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_node_that_is_not_there_at_the_start_is_waited_for() {
    let mut toy = Toy::new();
    toy.net.stop(toy.id);
    let mut agent = toy.spawn();
    let notice = within(agent.notices.recv()).await.unwrap();
    assert!(matches!(&notice, AgentNotice::WaitingForNode(why) if why.hint().unwrap().contains("--rpc")), "{notice:?}");
    toy.net.start(toy.id);
    toy.accept(json!([])).await;
    agent.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_node_that_has_no_chain_yet_is_waited_for_and_said_once() {
    let mut toy = Toy::new();
    let (net, node) = (toy.net.clone(), toy.id);
    let chain_id = |id: u64| net.with(|world| world.change(node, |spec| spec.chain.chain_id = id));
    chain_id(0);
    let mut agent = toy.spawn();
    let notice = within(agent.notices.recv()).await.unwrap();
    assert!(matches!(&notice, AgentNotice::WaitingForNode(why) if why.to_string().contains("chain ID")), "{notice:?}");
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    chain_id(1337);
    let notice = within(agent.notices.recv()).await.unwrap();
    assert!(matches!(&notice, AgentNotice::Node { .. }), "{notice:?}");
    toy.accept(json!([])).await;
    agent.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_host_whose_node_has_no_port_gets_a_warning() {
    let mut toy = Toy::next_to("agent", 0);
    let mut agent = toy.spawn();
    let warned = async { while !matches!(agent.notices.recv().await.unwrap(), AgentNotice::NotDialable) {} };
    within(warned).await;
    toy.accept(json!([])).await;
    agent.stop().await.unwrap();
}

/// A text without a scheme may be a mistyped command or the name of a file.
#[tokio::test(start_paused = true)]
async fn for_a_pool_without_a_scheme_nothing_is_signed_before_it_is_reached() {
    let mut toy = Toy::new();
    toy.connector.open.store(false, Ordering::Relaxed);
    let mut config = toy.config();
    config.pool.as_mut().unwrap().address = PoolAddress::read("127.0.0.1:8080").unwrap();
    let mut agent = Running::of(config);
    let (mut signed, mut unreachable) = (0, 0);
    let minute = tokio::time::sleep(std::time::Duration::from_secs(60));
    tokio::pin!(minute);
    loop {
        tokio::select! {
            () = &mut minute => break,
            notice = agent.notices.recv() => match notice.unwrap() {
                AgentNotice::Delegated { .. } => signed += 1,
                AgentNotice::Notice(Notice::PoolUnreachable { .. }) => unreachable += 1,
                _ => {}
            },
        }
    }
    assert_eq!((signed, unreachable), (0, 1));
    toy.connector.open.store(true, Ordering::Relaxed);
    // Only opened.
    within(toy.ends.recv()).await.unwrap();
    toy.accept(json!([])).await;
    agent.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn d41_stopping_never_blocks() {
    let mut toy = Toy::new();
    let client = toy.peer("client", 2);
    let agent = toy.spawn();
    let end = toy.accept(json!([])).await;
    end.call(method::ADMIT, admit(1, client.id)).await.unwrap();
    toy.net.stop(toy.id);
    // Neither the node nor the pool answers any more.
    let began = tokio::time::Instant::now();
    let error = agent.stop().await.unwrap_err();
    assert!(began.elapsed() <= vipnode_agent::limits::STOP_DEADLINE, "{:?}", began.elapsed());
    assert!(error.hint().unwrap().contains("vipnode release"), "{error}: {}", error.hint().unwrap());
    drop(end);
    // Another process may begin at once, and finds what is left.
    toy.net.start(toy.id);
    let undone = release(&toy.config().state_root, &*toy.node).await.unwrap().undone;
    assert_eq!(undone.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn d41_stopping_before_the_node_is_there_ends_at_once() {
    let toy = Toy::new();
    toy.net.stop(toy.id);
    let mut agent = toy.spawn();
    within(agent.notices.recv()).await.unwrap();
    agent.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn d46_a_report_names_leases_and_nobody_else() {
    let mut toy = Toy::new();
    let (host, own) = (toy.peer("host", 1), toy.peer("own", 3));
    toy.node.call(PeerCommand::Dial(own.enode())).await.unwrap();
    let mut agent = toy.spawn();
    let mut end = toy.accept(json!([])).await;
    end.give(1, &host).await;
    agent.notice(connected).await;
    assert!(toy.connected(own.id).await);
    for text in end.expect_up(1).await {
        assert!(
            !text.contains("enode") && !text.contains("127.0.0.1") && !text.contains(&own.id.to_string()),
            "{text}"
        );
        let (report,): (Value,) = serde_json::from_str(&text).unwrap();
        let allowed = ["seq", "full", "up", "down", "hash", "slots", "head", "host_capabilities"];
        let seen = report["host_capabilities"].as_array().into_iter().flatten();
        assert!(seen.into_iter().all(|seen| seen["lease"] == 1), "of the leased host alone: {text}");
        assert!(report.as_object().unwrap().keys().all(|key| allowed.contains(&key.as_str())), "{text}");
    }
    agent.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn release_undoes_what_a_crash_left_and_touches_nothing_else() {
    let mut toy = Toy::new();
    let (client, mine) = (toy.peer("client", 2), toy.peer("mine", 3));
    toy.node.call(PeerCommand::Admit(mine.enode())).await.unwrap();
    let agent = toy.spawn();
    let end = toy.accept(json!([])).await;
    end.call(method::ADMIT, admit(1, client.id)).await.unwrap();
    let root = toy.config().state_root;
    let error = release(&root, &*toy.node).await.unwrap_err();
    assert!(matches!(error, AgentError::Locked { .. }), "{error}");
    assert!(matches!(planned_release(&root, &toy.id), Err(AgentError::Locked { .. })));
    agent.runner.abort().await;
    let planned = planned_release(&root, &toy.id).unwrap();
    assert!(matches!(&planned[..], [(_, PeerCommand::Evict(peer))] if peer.id == client.id), "{planned:?}");
    assert!(toy.trusted(client.id), "nothing has changed");
    let undone = release(&root, &*toy.node).await.unwrap().undone;
    assert_eq!(undone.iter().map(|change| change.peer.id).collect::<Vec<_>>(), [client.id]);
    assert!(!toy.trusted(client.id) && toy.trusted(mine.id));
    assert_eq!(release(&root, &*toy.node).await.unwrap().undone, []);
    assert_eq!(planned_release(&root, &toy.id).unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn release_undoes_every_readable_line_of_a_damaged_journal_and_keeps_the_file() {
    let mut toy = Toy::new();
    let (one, two) = (toy.peer("one", 2), toy.peer("two", 3));
    let agent = toy.spawn();
    let end = toy.accept(json!([])).await;
    end.call(method::ADMIT, admit(1, one.id)).await.unwrap();
    end.call(method::ADMIT, admit(2, two.id)).await.unwrap();
    agent.runner.abort().await;
    let root = toy.config().state_root;
    let journal = root.join(toy.id.short()).join("journal");
    let text = std::fs::read_to_string(&journal).unwrap();
    let damaged = text.replacen('\n', "\n\u{0}\u{0}torn\n", 1);
    std::fs::write(&journal, &damaged).unwrap();
    let released = release(&root, &*toy.node).await.unwrap();
    assert!(matches!(released.damaged, Some(AgentError::Damaged { .. })), "{:?}", released.damaged);
    assert_eq!(released.undone.len(), 2);
    assert!(!toy.trusted(one.id) && !toy.trusted(two.id));
    assert_eq!(std::fs::read_to_string(&journal).unwrap(), damaged);
}

#[tokio::test(start_paused = true)]
async fn changes_for_another_pool_are_undone_at_the_start() {
    let mut toy = Toy::new();
    let client = toy.peer("client", 2);
    let agent = toy.spawn();
    let end = toy.accept(json!([])).await;
    end.call(method::ADMIT, admit(1, client.id)).await.unwrap();
    agent.runner.abort().await;
    drop(end);
    let mut config = toy.config();
    config.pool.as_mut().unwrap().address = vipnode_agent::PoolAddress::read("ws://127.0.0.1:9").unwrap();
    let (runner, mut notices) = vipnode_agent::AgentRunner::spawn(config);
    while within(notices.recv()).await.unwrap() != (AgentNotice::Released { changes: 1 }) {}
    assert!(!toy.trusted(client.id));
    runner.stop();
    within(runner.join()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_pool_that_refuses_for_good_ends_the_agent_with_its_reason() {
    let mut toy = Toy::new();
    let agent = toy.spawn();
    let mut end = crate::fake_pool::PoolEnd::from(within(toy.ends.recv()).await.unwrap());
    let (_, responder) = end.expect(method::CONNECT).await;
    let refusal = vipnode_types::wire::WireError::new(
        vipnode_types::wire::ErrorCode::NotMember,
        "this pool is closed",
        "--join-secret SECRET",
    );
    responder.respond::<()>(Err(refusal));
    let error = within(agent.runner.join()).await.unwrap_err();
    assert_eq!(
        (error.to_string().as_str(), error.hint().unwrap().as_str()),
        ("this pool is closed", "--join-secret SECRET")
    );
}

#[tokio::test(start_paused = true)]
async fn the_key_file_is_needed_once() {
    let mut toy = Toy::new();
    let agent = toy.spawn();
    toy.accept(json!([])).await;
    agent.stop().await.unwrap();
    std::fs::remove_file(&toy.key_file).unwrap();
    let agent = toy.spawn();
    toy.accept(json!([])).await;
    agent.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn without_a_key_the_error_names_the_flag() {
    let toy = Toy::new();
    std::fs::remove_file(&toy.key_file).unwrap();
    let error = within(toy.spawn().runner.join()).await.unwrap_err();
    assert!(matches!(error, AgentError::NodeKeyMissing { .. }), "{error}");
    let hint = error.hint().unwrap();
    assert!(hint.contains("--nodekey") && !hint.contains("can read"), "a matter of the path: {hint}");
}
