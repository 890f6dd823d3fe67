use insta::assert_snapshot;
use vipnode_pool::admin::{AdminAccount, AdminBlock, LedgerPosted};
use vipnode_types::{Account, Amount, Asset, NodeId, SignedAmount, wire::AccountFunds};

use super::*;
use crate::tests::{pages, plain};

const NOW: Ms = Ms::new(1_795_000_000_000);

fn block(block: &str, core_us: u64) -> AdminBlock {
    AdminBlock {
        block: block.to_owned(),
        core_us,
        slots: 1_012,
        nodes: 40,
        connections: 50_000,
        bytes_in: 120_000,
        bytes_out: 1_234_567_890,
    }
}

fn node(byte: u8, host: bool, block: &str) -> ListedNode {
    ListedNode {
        node: NodeId::new([byte; 64]),
        agent: None,
        host,
        client: !host,
        agent_version: "vipnode/0.1.0".to_owned(),
        client_version: "Geth/v1.17.5".to_owned(),
        chain_id: 11_155_111,
        address: None,
        block: block.to_owned(),
        connected: host,
        since_ms: NOW.minus(90_061_000),
        slots: 20,
        leases_as_host: u32::from(host) * 999,
        leases_as_client: u32::from(!host) * 3,
        drained: !host,
    }
}

#[test]
fn snapshot_of_the_operators_tables() {
    let top = AdminTop {
        pool_version: "vipnode/0.1.0".to_owned(),
        measured_ms: 1_001,
        blocks: vec![block("2001:db8:ffff::/48", 912_345), block("203.0.113.0/24", 31)],
        further_blocks: 7,
        bans: 1,
        drains_pool: false,
        drained_nodes: 2,
    };
    let nodes = AdminNodes {
        now: NOW,
        nodes: vec![node(0x1f, true, "2001:db8:ffff::/48"), node(0x2e, false, "203.0.113.0/24")],
        next: Some(1_000),
        drains_pool: false,
    };
    let ban = |target: &str, until| Ban {
        target: target.parse().unwrap(),
        reason: Some("flood; write to ops@example.org and wait".to_owned()),
        since_ms: NOW,
        until_ms: until,
    };
    let bans = AdminBans {
        bans: vec![ban("203.0.113.0/24", Some(NOW.plus(3_600_000))), ban(&"0a".repeat(64), None)],
        kept: false,
    };
    let banned = Banned { ban: ban("203.0.113.7", None), ended_nodes: 1, kept: true };
    let drained =
        |node, stop, pool, nodes| drained_text(&DrainRequest { node, stop }, &AdminDrained { pool, nodes, kept: true });
    let paused = NodeId::new([1; 64]);
    let shown = pages(|width| {
        let parts = [
            top_page(&top, width),
            nodes_page(&nodes, width),
            bans_page(&bans, width),
            bans_page(&AdminBans { bans: Vec::new(), kept: true }, width),
            banned_text(&banned),
            unbanned_text(&banned.ban.target, &bans),
            drained(None, false, true, Vec::new()),
            drained(Some(paused), false, false, vec![paused]),
            drained(Some(paused), true, true, Vec::new()),
            drained(None, true, false, vec![paused]),
            drained(None, true, false, Vec::new()),
        ];
        parts.map(|part| plain(&part.wrapped(width).to_string())).join("\n---\n")
    });
    assert_snapshot!("pool_admin", shown);
}

#[test]
fn snapshot_of_the_leases() {
    use vipnode_pool::admin::{AdminLease, AdminLeases};
    use vipnode_types::{LeaseId, Price};

    let lease = |number, paid: bool, trial: bool| AdminLease {
        lease: LeaseId::new(number),
        row: 3,
        trial,
        client: NodeId::new([0x1f; 64]),
        host: NodeId::new([0x2e; 64]),
        payer: paid.then_some(Account::new([7; 20])),
        payee: paid.then_some(Account::new([8; 20])),
        price: if paid { Price::per_minute(60_000_000_000) } else { Price::FREE },
        offered_ms: NOW,
        since_ms: paid.then_some(NOW),
    };
    let all = AdminLeases {
        batch: 7,
        leases: vec![lease(1, false, false), lease(2, false, true), lease(1_700_000_000_000_000, true, false)],
        next: Some(LeaseId::new(1_700_000_000_000_000)),
    };
    let none = AdminLeases { batch: 7, leases: Vec::new(), next: None };
    let shown = pages(|width| {
        let parts = [leases_page(&all, width), leases_page(&none, width)];
        parts.map(|part| plain(&part.wrapped(width).to_string())).join("\n---\n")
    });
    assert_snapshot!("leases", shown);
}

#[test]
fn snapshot_of_the_audit_log() {
    use vipnode_pool::admin::{AdminAudit, AuditRecord};

    let record = |method: &str, params: serde_json::Value, refused: Option<&str>| AuditRecord {
        at_ms: NOW,
        user: Some(1_000),
        process: refused.is_none().then_some(4_711),
        method: method.to_owned(),
        params: serde_json::json!([params]),
        refused: refused.map(str::to_owned),
    };
    let ban = serde_json::json!({"target": "203.0.113.0/24", "reason": "flood"});
    let ledger = |change: serde_json::Value| serde_json::json!({"change": change, "reason": "invoice 18"});
    let account = "0x8ba1f109551bD432803012645Ac136ddd64DBA72";
    let credit = ledger(serde_json::json!({"kind": "credit", "account": account, "amount": "10000000"}));
    let takes =
        ledger(serde_json::json!({"kind": "correction", "account": account, "amount": "1500000", "takes": true}));
    let paid = ledger(serde_json::json!({"kind": "paid", "payout": 1}));
    let close = ledger(serde_json::json!({"kind": "close_period"}));
    let price = serde_json::json!({"price": "0.07 USDC/minute", "fee_bps": 250, "reason": "new terms"});
    let requested = AuditRecord { process: None, ..record("vipnode_poolLedger", close.clone(), None) };
    let records = vec![
        record("vipnode_poolBan", ban, None),
        record("vipnode_poolDrain", serde_json::json!({"node": "0a".repeat(64)}), None),
        record("vipnode_poolDrain", serde_json::json!({"stop": true}), None),
        record("vipnode_poolLedger", credit, None),
        record("vipnode_poolLedger", takes, None),
        record("vipnode_poolLedger", paid, None),
        record("vipnode_poolPrice", price, None),
        requested,
        record("vipnode_poolLedger", close, Some("the previous period has unmarked payouts (3)")),
    ];
    let asset = vipnode_types::Asset::new("USDC", 6).ok();
    let audit = AdminAudit { records, earlier: Some(1_234) };
    let shown = pages(|width| {
        let parts = [audit_page(&audit, asset, width), audit_page(&AdminAudit::default(), asset, width)];
        parts.map(|part| plain(&part.wrapped(width).to_string())).join("\n---\n")
    });
    assert_snapshot!("audit", shown);
}

fn usdc() -> Asset {
    Asset::new("USDC", 6).unwrap()
}

fn account(byte: u8, debt: u128) -> AdminAccount {
    AdminAccount {
        account: Account::new([byte; 20]),
        funds: AccountFunds {
            balance: SignedAmount::difference(Amount::new(if debt == 0 { 10_500_000 } else { 0 }), Amount::new(debt)),
            running: Amount::new(100_000),
            limit: Amount::new(2_000_000),
            available: Amount::new(if debt == 0 { 12_400_000 } else { 1_900_000 - debt }),
        },
        spent: Amount::new(1_250_000),
        nodes: 1,
        leases: 2,
        earned: Amount::new(700_000),
        secured: Amount::new(600_000),
        payable: Amount::new(540_000),
    }
}

fn posted() -> LedgerPosted {
    LedgerPosted {
        entry: 12,
        at_ms: NOW,
        repeated: false,
        account: Some(account(1, 0)),
        amount: Some(Amount::new(540_000)),
        period: None,
        paid_all: None,
        asset: usdc(),
    }
}

#[test]
fn snapshot_of_the_ledger() {
    use vipnode_pool::admin::{AdminAccounts, AdminPrice};
    use vipnode_types::{QuotedPrice, wire::NextPrice};

    let asset = usdc();
    let posted = posted();
    let accounts =
        AdminAccounts { asset, accounts: vec![account(1, 0), account(2, 500_000)], next: Some(Account::new([3; 20])) };
    let costs = |text: &str| text.parse::<QuotedPrice>().unwrap().in_asset(asset).unwrap();
    let price = |next| AdminPrice { price: costs("0.50 USDC/month"), fee_bps: 500, next };
    let shown = pages(|width| {
        let parts = [
            posted_text(&posted),
            posted_text(&LedgerPosted { account: None, ..posted.clone() }),
            posted_text(&LedgerPosted { repeated: true, ..posted.clone() }),
            account_text(&account(2, 500_000), asset),
            accounts_page(&accounts, width),
            accounts_page(&AdminAccounts { accounts: Vec::new(), next: None, ..accounts.clone() }, width),
            price_text(&price(None)),
            price_text(&price(Some(NextPrice { price: costs("0.60 USDC/month"), fee_bps: 750, from_ms: NOW }))),
        ];
        parts.map(|part| plain(&part.wrapped(width).to_string())).join("\n---\n")
    });
    assert_snapshot!("ledger", shown);
}

#[test]
fn snapshot_of_the_settlement() {
    use vipnode_pool::admin::{AdminPaidPayouts, AdminPayout, AdminPayoutState, AdminPayouts};

    let (asset, posted) = (usdc(), posted());
    let (payee, amount) = (Account::new([9; 20]), Amount::new(540_000));
    let payout = |payout, state| AdminPayout {
        payout,
        period: 3,
        account: payee,
        amount,
        state,
        reference: (state != AdminPayoutState::Due).then(|| "bank transfer 4711".to_owned()),
    };
    let closed = LedgerPosted { account: None, amount: None, period: Some(3), ..posted };
    let bounced = LedgerPosted { amount: Some(Amount::ZERO), ..posted };
    let payouts = AdminPayouts {
        asset,
        newest_period: 3,
        payouts: vec![
            payout(7, AdminPayoutState::Due),
            payout(8, AdminPayoutState::Paid),
            payout(9, AdminPayoutState::Bounced),
        ],
        next: None,
    };
    let paid = AdminPaidPayouts { marked: 1_000, amount: Amount::new(540_000_000), left_out: 1, next: None };
    let shown = pages(|width| {
        let parts = [
            payouts_page(&payouts, width),
            payouts_csv(&payouts, true).replace('\r', "").as_str().into(),
            paid_text(&paid, 3, asset),
            no_payouts_text(Some(7), 3, Some(3)),
            no_payouts_text(Some(2), 3, Some(3)),
            no_payouts_text(None, 4, Some(3)),
            no_payouts_text(None, 4, None),
            no_payouts_text(None, 0, None),
            closed_text(&closed, &payouts, width),
            closed_text(&closed, &AdminPayouts { payouts: Vec::new(), ..payouts.clone() }, width),
            marked_text(&posted, 7, AdminPayoutState::Paid, "bank transfer 4711"),
            marked_text(&bounced, 7, AdminPayoutState::Bounced, "account closed"),
        ];
        parts.map(|part| plain(&part.wrapped(width).to_string())).join("\n---\n")
    });
    assert_snapshot!("settlement", shown);
}

#[test]
fn snapshot_of_the_epochs() {
    use vipnode_pool::admin::{AdminEpoch, AdminEpochPlan, SetAsideClaim};
    let nothing = AdminEpochPlan { claims: 0, amount: Amount::ZERO, gas: 0, gas_wei: None };
    let first = AdminEpoch {
        asset: Asset::new("USDC", 6).unwrap(),
        number: 0,
        step: "open".to_owned(),
        since_ms: NOW,
        next_cut_ms: NOW.plus(604_800_000),
        finished_ms: None,
        problem: None,
        claims: 0,
        claiming: Amount::ZERO,
        set_aside: Vec::new(),
        transactions: 0,
        gas_wei: "0".to_owned(),
        unattributed: Amount::ZERO,
        plan: nothing.clone(),
    };
    let redeems = AdminEpoch {
        number: 4,
        step: "redeem".to_owned(),
        finished_ms: Some(NOW.minus(604_800_000)),
        problem: Some("the epoch's gas may cost more than 100000000 gwei (limit epoch_gas_gwei)".to_owned()),
        claims: 31,
        claiming: Amount::new(12_345_678),
        set_aside: vec![SetAsideClaim { payer: Account::new([7; 20]), reason: "ClaimExceedsBalance".to_owned() }],
        transactions: 1,
        gas_wei: "7600000000000".to_owned(),
        plan: AdminEpochPlan {
            claims: 31,
            amount: Amount::new(12_345_678),
            gas: 1_230_000,
            gas_wei: Some("12300000000000".to_owned()),
        },
        ..first
    };
    let step = |step: &str| AdminEpoch { step: step.to_owned(), plan: nothing.clone(), ..redeems.clone() };
    let finished = AdminEpoch { problem: None, set_aside: Vec::new(), claims: 0, ..step("open") };
    let shown = pages(|width| {
        let parts = [
            epoch_text(&first),
            epoch_text(&redeems),
            epoch_text(&step("read")),
            epoch_text(&step("confirm")),
            epoch_text(&step("settle")),
            epoch_text(&AdminEpoch { unattributed: Amount::new(7), ..step("halted") }),
            epoch_text(&finished),
            epoch_plan_text(&redeems),
        ];
        parts.map(|part| plain(&part.wrapped(width).to_string())).join("\n---\n")
    });
    assert_snapshot!("epochs", shown);
}
