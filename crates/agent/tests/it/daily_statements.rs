//! A host and the statements that its pool signs for each day.

use std::time::Duration;

use serde_json::json;
use vipnode_agent::{AgentNotice, RunnerConfig, limits::StatementLimits, state::StatementFile};
use vipnode_rpc::{PoolHeaders, Responder};
use vipnode_types::{
    Account, Amount, Asset, LeaseId, NodeId, PoolKey, Price, ShortNodeId, UtcDay,
    wire::{
        CollectedSums, DailyLine, DailyStatement, DailyStatementRequest, DailySums, ErrorCode, SignedDailyStatement,
        WireError, method,
    },
};

use crate::fake_pool::{CHALLENGE, PoolEnd, Running, Toy, read, within};

fn key(number: u8) -> PoolKey {
    PoolKey::from_random([number; 32]).unwrap()
}

/// A host that asks for the last two days as soon as it has joined.
fn config(toy: &Toy) -> RunnerConfig {
    let key = key(1);
    let (id, proof) = (Some(key.id().to_string()), Some(key.prove(CHALLENGE).to_string()));
    *toy.connector.headers.lock().unwrap() = PoolHeaders { id, proof, changes: None };
    let statement_limits = StatementLimits {
        daily_statement_days: 2,
        daily_statement_wait: Duration::ZERO,
        daily_statements: 5,
        daily_statement_bytes: 4 << 10,
    };
    RunnerConfig { statement_limits, ..toy.config() }
}

/// The pool accepts the agent; its clients pay.
async fn accept(toy: &mut Toy, payment: &str) -> PoolEnd {
    let mut end = PoolEnd::from(within(toy.ends.recv()).await.unwrap());
    let (_, responder) = end.expect(method::CONNECT).await;
    responder.respond(Ok(json!({
        "pool_version": "vipnode/toy",
        "pool_id": key(1).id(),
        "report_interval_ms": 60_000,
        "price": Price::FREE,
        "leases": [],
        "terms": {"payment": payment},
    })));
    end
}

async fn asked(end: &mut PoolEnd) -> (DailyStatementRequest, Responder) {
    let (params, responder) = end.expect(method::DAILY_STATEMENT).await;
    let (request,): (DailyStatementRequest,) = read(&params);
    (request, responder)
}

fn line(entry: u64) -> DailyLine {
    let cost = Amount::new(60);
    DailyLine {
        entry,
        lease: LeaseId::new(entry),
        row: 0,
        counterpart: ShortNodeId::of(&NodeId::new([7; 64])),
        first_ms: None,
        last_ms: None,
        billed_ms: 60_000,
        merged: 0,
        price: Price::per_minute(60),
        cost,
        secured: cost,
        fee: Amount::ZERO,
        meter: key(1).meter_of(&Account::new([1; 20])),
        interval: [Amount::new(u128::from(entry) * 60), Amount::new(u128::from(entry) * 60 + 60)],
    }
}

/// A page with these lines, of a day that has `pages` like it.
fn signed(
    host: NodeId,
    DailyStatementRequest { day, page }: DailyStatementRequest,
    pages: u32,
    lines: Vec<DailyLine>,
) -> SignedDailyStatement {
    let (pool, asset) = (key(1).id(), Asset::ETHER);
    let day_sums = DailySums { lines: 100_000, cost: Amount::MAX, secured: Amount::MAX, fee: Amount::MAX };
    let (incarnation, day_collected, collected) = (0, CollectedSums::default(), Vec::new());
    DailyStatement { pool, incarnation, host, day, asset, page, pages, day_sums, day_collected, lines, collected }
        .sign(&key(1))
}

async fn fault(agent: &mut Running) -> String {
    loop {
        if let AgentNotice::Fault(failure) = within(agent.notices.recv()).await.unwrap() {
            return failure.to_string();
        }
    }
}

/// The days that are kept, each with its pages.
fn kept(toy: &Toy) -> Vec<(UtcDay, Vec<SignedDailyStatement>)> {
    let files = StatementFile::all(&toy.root.path().join("state")).unwrap();
    files.iter().map(|file| (file.day(), file.read().unwrap().pages)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_host_keeps_what_its_pool_signed_and_asks_only_for_what_it_does_not_have() {
    let mut toy = Toy::new();
    let mut agent = Running::of(config(&toy));
    let mut end = accept(&mut toy, "credit").await;
    let mut pages = Vec::new();
    let (first, responder) = asked(&mut end).await;
    assert_eq!(first.page, 1);
    pages.push(signed(toy.id, first, 2, vec![line(1)]));
    responder.respond(Ok(&pages[0]));
    let (next, responder) = asked(&mut end).await;
    assert_eq!(next, DailyStatementRequest { page: 2, ..first });
    pages.push(signed(toy.id, next, 2, vec![line(2)]));
    responder.respond(Ok(&pages[1]));

    let (second, responder) = asked(&mut end).await;
    assert_eq!((second.day.minus_days(1), second.page), (first.day, 1));
    assert_eq!(kept(&toy), [(first.day, pages.clone())]);
    let forged = signed(toy.id, second, 1, vec![line(3)]).statement.sign(&key(2));
    responder.respond(Ok(forged));
    let shown = fault(&mut agent).await;
    assert!(shown.contains(&second.day.to_string()) && shown.contains("signature does not match"), "{shown}");
    let pool = tokio::spawn(end.answer_all());
    agent.stop().await.unwrap();
    within(pool).await.unwrap();
    assert_eq!(kept(&toy).len(), 1, "nothing that the pool did not sign");

    let agent = Running::of(config(&toy));
    let mut end = accept(&mut toy, "credit").await;
    let (again, responder) = asked(&mut end).await;
    assert!(again.day >= second.day, "the host has the first day");
    responder.respond(Ok(signed(toy.id, again, 1, Vec::new())));
    let pool = tokio::spawn(end.answer_all());
    agent.stop().await.unwrap();
    within(pool).await.unwrap();
}

/// A hostile pool can sign pages without end.
#[tokio::test(start_paused = true)]
async fn a_statement_without_end_is_cut_and_one_that_cannot_be_true_is_kept() {
    let mut toy = Toy::new();
    let mut agent = Running::of(config(&toy));
    let mut end = accept(&mut toy, "credit").await;
    let (first, responder) = asked(&mut end).await;
    let lines = |page: u64| (1..=8).map(|entry| line(page * 8 + entry)).collect::<Vec<_>>();
    responder.respond(Ok(signed(toy.id, first, u32::MAX, lines(1))));
    let (next, responder) = asked(&mut end).await;
    responder.respond(Ok(signed(toy.id, next, u32::MAX, lines(2))));
    let shown = fault(&mut agent).await;
    assert!(shown.contains("only a part") && shown.contains("4096"), "{shown}");

    let (second, responder) = asked(&mut end).await;
    assert_eq!((second.day.minus_days(1), second.page), (first.day, 1));
    assert_eq!(kept(&toy).iter().map(|(day, pages)| (*day, pages.len())).collect::<Vec<_>>(), [(first.day, 1)]);
    let untrue = DailyLine { cost: Amount::new(61), ..line(9) };
    responder.respond(Ok(signed(toy.id, second, 1, vec![untrue])));
    let shown = fault(&mut agent).await;
    assert!(shown.contains("is inconsistent"), "{shown}");
    let pool = tokio::spawn(end.answer_all());
    agent.stop().await.unwrap();
    within(pool).await.unwrap();
    assert_eq!(kept(&toy).len(), 2, "a proof of what the pool signed");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_shown_and_a_pool_that_is_busy_is_asked_again() {
    let mut toy = Toy::new();
    let mut agent = Running::of(config(&toy));
    let mut end = accept(&mut toy, "credit").await;
    let (first, responder) = asked(&mut end).await;
    responder.respond::<()>(Err(WireError::busy("the day is not over", 1_000)));
    let (again, responder) = asked(&mut end).await;
    assert!(again.page == 1 && again.day >= first.day, "later");
    responder.respond::<()>(Err(WireError::new(ErrorCode::Unsuitable, "it was\u{1b} pruned", "")));
    let shown = fault(&mut agent).await;
    assert!(shown.contains("pruned") && !shown.contains('\u{1b}'), "{shown}");
    let (second, responder) = asked(&mut end).await;
    assert_eq!(second.day.minus_days(1), again.day, "the next day");
    responder.respond(Ok(signed(toy.id, second, 1, Vec::new())));
    let pool = tokio::spawn(end.answer_all());
    agent.stop().await.unwrap();
    within(pool).await.unwrap();
}

/// No client was connected with the host at that time.
#[tokio::test(start_paused = true)]
async fn a_statement_that_bills_what_the_host_did_not_meter_is_kept_and_reported() {
    let mut toy = Toy::new();
    let agent = Running::of(config(&toy));
    let mut end = accept(&mut toy, "credit").await;
    let (first, responder) = asked(&mut end).await;
    responder.respond::<()>(Err(WireError::busy("the day is not over", 1_000)));
    let pool = tokio::spawn(end.answer_all());
    agent.stop().await.unwrap();
    within(pool).await.unwrap();
    // As if it had run on that day.
    let dir = toy.root.path().join("state").join(toy.id.short()).join("statements");
    let mut files = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let file = files.find(|path| path.to_string_lossy().contains("meter-")).unwrap();
    let mut meter: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    meter["since"] = json!(first.day.start());
    std::fs::write(&file, meter.to_string()).unwrap();

    let mut agent = Running::of(config(&toy));
    let mut end = accept(&mut toy, "credit").await;
    let (again, responder) = asked(&mut end).await;
    let hour = |number: u64| Some(again.day.start().plus(number * 3_600_000));
    let billed = DailyLine { first_ms: hour(1), last_ms: hour(2), billed_ms: 3_600_000, ..line(1) };
    responder.respond(Ok(signed(toy.id, again, 1, vec![billed])));
    let shown = loop {
        let shown = fault(&mut agent).await;
        if shown.contains("differs") {
            break shown;
        }
    };
    assert!(shown.contains("billed 60 min, metered 0 min"), "{shown}");
    let pool = tokio::spawn(end.answer_all());
    agent.stop().await.unwrap();
    within(pool).await.unwrap();
    assert_eq!(kept(&toy).len(), 1);
}

/// A host that first ran today asks for the days before, because its state may be lost; the pool owes it nothing for them.
#[tokio::test(start_paused = true)]
async fn an_empty_statement_of_a_day_before_the_host_first_ran_is_not_kept() {
    let mut toy = Toy::new();
    let agent = Running::of(config(&toy));
    let mut end = accept(&mut toy, "credit").await;
    let (first, responder) = asked(&mut end).await;
    let empty = DailyStatement { day_sums: DailySums::default(), ..signed(toy.id, first, 1, Vec::new()).statement };
    responder.respond(Ok(empty.sign(&key(1))));
    let (second, responder) = asked(&mut end).await;
    assert_eq!(second.day.minus_days(1), first.day, "the empty one is not asked for again");
    let page = signed(toy.id, second, 1, vec![line(1)]);
    responder.respond(Ok(&page));
    let pool = tokio::spawn(end.answer_all());
    agent.stop().await.unwrap();
    within(pool).await.unwrap();
    assert_eq!(kept(&toy), [(second.day, vec![page])]);
}
