use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use vipnode_openrpc::{CallDirection, MethodRow, statement_page};
use vipnode_types::{
    Account, Amount, Asset, LeaseId, Ms, NodeId, Price, QuotedPrice, SignedAmount,
    wire::{AccountFunds, ErrorCode, NextPrice, Statement, StatementRange},
};

use super::{
    AccountStatementRequest, AccountsRequest, AdminAccount, AdminAccounts, AdminAudit, AdminBans, AdminBlock,
    AdminClaims, AdminDrained, AdminEpoch, AdminEpochPlan, AdminFolded, AdminLease, AdminLeases, AdminNodes,
    AdminPayout, AdminPayoutState, AdminPayouts, AdminPrice, AdminPruned, AdminTop, AdminUrls, AuditRecord,
    AuditRequest, BanRequest, Banned, ClaimsRequest, DrainRequest, EpochRequest, FoldRequest, LeasesRequest,
    LedgerOrder, LedgerPosted, LedgerRequest, ListedNode, NodesRequest, PayoutsRequest, PriceRequest, PruneRequest,
    TopOrder, TopRequest, UnbanRequest, UrlsRequest, method,
};
use crate::auth::Ban;

const NOW: Ms = Ms::new(1_795_000_000_000);
const SOCKET: &str = "Served on the pool's admin socket (`admin/pool.sock` in the data directory), which only the pool's user \
                      and root can open. `vipnode pool admin` calls this method.";

/// The methods of the admin socket, for the OpenRPC document.
#[must_use]
pub fn rows() -> Vec<MethodRow> {
    let ban = ban();
    let bans = AdminBans { bans: ban.clone().into_iter().collect(), kept: true };
    let target = ban.as_ref().map(|ban| ban.target);
    let request = target.map(|target| BanRequest { target, reason: Some("flood".to_owned()), for_ms: Some(3_600_000) });
    let banned = ban.map(|ban| Banned { ban, ended_nodes: 1, kept: true });
    let drained = AdminDrained { pool: false, nodes: vec![NodeId::new([5; 64])], kept: true };
    let urls = AdminUrls { urls: vec!["wss://pool.example.org".to_owned()] };
    vec![
        row::<UrlsRequest, AdminUrls>(method::URLS, "List the URLs at which agents reach the pool")
            .fails(&[ErrorCode::InvalidParams])
            .example("one URL", params(&UrlsRequest {}), &urls),
        row::<TopRequest, AdminTop>(method::TOP, "List the address blocks that use the pool most")
            .fails(&[ErrorCode::InvalidParams, ErrorCode::Busy])
            .example("one block", params(&TopRequest { by: TopOrder::Core, most: 20 }), &top()),
        row::<NodesRequest, AdminNodes>(method::NODES, "List the nodes that are connected or hold leases")
            .fails(&[ErrorCode::InvalidParams, ErrorCode::Busy])
            .example("one host", params(&NodesRequest { most: 100, ..NodesRequest::default() }), &nodes()),
        row::<LeasesRequest, AdminLeases>(method::LEASES, "List the running leases that are stored in the database")
            .fails(&[ErrorCode::InvalidParams, ErrorCode::Busy])
            .example("one lease", params(&LeasesRequest { most: 100, ..LeasesRequest::default() }), &leases()),
        row::<BanRequest, Banned>(method::BAN, "Ban a node, an agent, or a network")
            .fails(&[ErrorCode::InvalidParams, ErrorCode::Unsuitable, ErrorCode::Busy])
            .example("a network, for an hour", request.as_ref().and_then(params), &banned),
        row::<UnbanRequest, AdminBans>(method::UNBAN, "Remove a ban")
            .fails(&[ErrorCode::InvalidParams, ErrorCode::Unsuitable])
            .example("one ban is left", target.and_then(|target| params(&UnbanRequest { target })), &bans),
        row::<NoFields, AdminBans>(method::BANS, "List the bans").example("one ban", params(&NoFields {}), &bans),
        row::<AuditRequest, AdminAudit>(method::AUDIT, "List the records of the audit log")
            .fails(&[ErrorCode::InvalidParams, ErrorCode::Unsuitable])
            .example("a ban", params(&AuditRequest { before: None, most: 100 }), &audit()),
        row::<DrainRequest, AdminDrained>(
            method::DRAIN,
            "Stop assigning new leases to a node or to all nodes, or assign them again",
        )
        .fails(&[ErrorCode::InvalidParams, ErrorCode::Unsuitable])
        .example("a node", params(&DrainRequest { node: Some(NodeId::new([5; 64])), stop: false }), &drained),
    ]
    .into_iter()
    .chain(of_the_ledger())
    .collect()
}

fn of_the_ledger() -> Vec<MethodRow> {
    let codes = &[ErrorCode::InvalidParams, ErrorCode::Unsuitable, ErrorCode::Busy];
    let account = account();
    let change = LedgerOrder::Credit { account: account.account, amount: Amount::new(10_000_000) };
    let request = LedgerRequest {
        change,
        reason: "bank transfer".to_owned(),
        key: Some("invoice 7".to_owned()),
        allow_negative: false,
    };
    let asset = Asset::new("USDC", 6).unwrap_or_default();
    let posted = posted(account, asset);
    let accounts = AdminAccounts { asset, accounts: vec![account], next: None };
    let range = StatementRange { most: 1_000, ..StatementRange::default() };
    let statement = AccountStatementRequest { account: account.account, range };
    let payouts = payouts(account.account, asset);
    vec![
        row::<LedgerRequest, LedgerPosted>(method::LEDGER, "Change the ledger").fails(codes).example(
            "a payment was received",
            params(&request),
            &posted,
        ),
        row::<AccountsRequest, AdminAccounts>(method::ACCOUNTS, "List the accounts that pay or earn")
            .fails(codes)
            .example("one account", params(&AccountsRequest { filter: None, from: None, most: 100 }), &accounts),
        row::<AccountStatementRequest, Statement>(method::STATEMENT, "Get a page of the statement of an account")
            .fails(codes)
            .example("an account whose node used a slot for a day", params(&statement), &statement_page()),
        row::<ClaimsRequest, AdminClaims>(
            method::CLAIMS,
            "List the amounts that can be claimed from the clients' payment channels",
        )
        .fails(codes)
        .example(
            "nothing to claim",
            params(&ClaimsRequest { after: None, most: 250 }),
            &AdminClaims { asset, claims: Vec::new(), next: None, pool: None },
        ),
        epoch(asset).fails(codes),
        row::<PayoutsRequest, AdminPayouts>(method::PAYOUTS, "List the payouts of a settlement period")
            .fails(codes)
            .example("one payout", params(&PayoutsRequest { period: None, after: None, most: 1_000 }), &payouts),
        row::<PruneRequest, AdminPruned>(
            method::PRUNE,
            "Remove the next part of the journals, which the caller has written to a file",
        )
        .fails(codes)
        .example(
            "the first step",
            params(&PruneRequest { before_ms: NOW, last_entry: 12_345, last_position: 12_000, position: None }),
            &AdminPruned { entries: 200, periods: 180, position: 0, is_done: false },
        ),
        row::<FoldRequest, AdminFolded>(method::FOLD, "Fold billing periods of the next entries").fails(codes).example(
            "the first step",
            params(&FoldRequest { before_ms: NOW, after: None }),
            &AdminFolded { folded: 12, position: 200, is_done: false },
        ),
        row::<PriceRequest, AdminPrice>(method::PRICE, "Announce a price").fails(codes).example(
            "a higher price",
            request_of_price(),
            &priced(),
        ),
    ]
}

fn posted(account: AdminAccount, asset: Asset) -> LedgerPosted {
    LedgerPosted {
        entry: 1,
        at_ms: NOW,
        repeated: false,
        account: Some(account),
        amount: Some(Amount::new(10_000_000)),
        period: None,
        paid_all: None,
        asset,
    }
}

fn payouts(account: Account, asset: Asset) -> AdminPayouts {
    let state = AdminPayoutState::Paid;
    let reference = Some("bank transfer 4711".to_owned());
    let payout = AdminPayout { payout: 1, period: 1, account, amount: Amount::new(900_000), state, reference };
    AdminPayouts { asset, newest_period: 1, payouts: vec![payout], next: None }
}

fn epoch(asset: Asset) -> MethodRow {
    let answer = AdminEpoch {
        asset,
        number: 4,
        step: "open".to_owned(),
        since_ms: NOW.minus(86_400_000),
        next_cut_ms: NOW.plus(518_400_000),
        finished_ms: Some(NOW.minus(86_400_000)),
        problem: None,
        claims: 0,
        claiming: Amount::ZERO,
        set_aside: Vec::new(),
        transactions: 0,
        gas_wei: "7600000000000".to_owned(),
        unattributed: Amount::ZERO,
        plan: AdminEpochPlan {
            claims: 12,
            amount: Amount::new(4_200_000),
            gas: 560_000,
            gas_wei: Some("5600000000000".to_owned()),
        },
    };
    row::<EpochRequest, AdminEpoch>(method::EPOCH, "Show the claim epochs of the pool, or start one").example(
        "between two epochs",
        params(&EpochRequest { run: false }),
        &answer,
    )
}

fn request_of_price() -> Option<Vec<Box<RawValue>>> {
    let price = "0.60 USDC/month".parse().ok()?;
    params(&PriceRequest { price, fee_bps: None, reason: "new terms".to_owned() })
}

fn priced() -> Option<AdminPrice> {
    let asset = Asset::new("USDC", 6).ok()?;
    let price = |text: &str| text.parse::<QuotedPrice>().ok()?.in_asset(asset).ok();
    let next = NextPrice { price: price("0.60 USDC/month")?, fee_bps: 500, from_ms: NOW.plus(86_400_000) };
    Some(AdminPrice { price: price("0.50 USDC/month")?, fee_bps: 500, next: Some(next) })
}

fn account() -> AdminAccount {
    AdminAccount {
        account: Account::new([7; 20]),
        funds: AccountFunds {
            balance: SignedAmount::difference(Amount::new(10_000_000), Amount::ZERO),
            running: Amount::new(500_000),
            limit: Amount::ZERO,
            available: Amount::new(9_500_000),
        },
        spent: Amount::ZERO,
        nodes: 1,
        leases: 2,
        earned: Amount::ZERO,
        secured: Amount::ZERO,
        payable: Amount::ZERO,
    }
}

/// An object without fields.
#[derive(Debug, Serialize, JsonSchema)]
struct NoFields {}

fn row<P: JsonSchema, R: JsonSchema>(name: &'static str, summary: &'static str) -> MethodRow {
    MethodRow::new::<R>(name, CallDirection::LocalPool, summary, SOCKET, ("answer", "The pool's answer"))
        .takes::<P>("request", "The request")
}

fn params(request: &impl Serialize) -> Option<Vec<Box<RawValue>>> {
    to_raw_value(request).ok().map(|request| vec![request])
}

fn ban() -> Option<Ban> {
    let target = "203.0.113.0/24".parse().ok()?;
    Some(Ban { target, reason: Some("flood".to_owned()), since_ms: NOW, until_ms: Some(NOW.plus(3_600_000)) })
}

fn audit() -> AdminAudit {
    let (method, params) = (method::BAN.to_owned(), serde_json::json!([{ "target": "203.0.113.0/24" }]));
    let record = AuditRecord { at_ms: NOW, user: Some(0), process: Some(4_711), method, params, refused: None };
    AdminAudit { records: vec![record], earlier: None }
}

fn top() -> AdminTop {
    let block = AdminBlock {
        block: "203.0.113.0/24".to_owned(),
        core_us: 310_000,
        slots: 12,
        nodes: 40,
        connections: 52,
        bytes_in: 120_000,
        bytes_out: 480_000,
    };
    AdminTop {
        pool_version: "vipnode/0.1.0".to_owned(),
        measured_ms: 1_000,
        blocks: vec![block],
        further_blocks: 0,
        bans: 0,
        drains_pool: false,
        drained_nodes: 0,
    }
}

fn leases() -> AdminLeases {
    let lease = AdminLease {
        lease: LeaseId::new(1),
        row: 0,
        client: NodeId::new([6; 64]),
        host: NodeId::new([5; 64]),
        payer: None,
        payee: Some(Account::new([8; 20])),
        price: Price::FREE,
        trial: true,
        offered_ms: NOW.minus(601_000),
        since_ms: Some(NOW.minus(600_000)),
    };
    AdminLeases { batch: 4_711, leases: vec![lease], next: None }
}

fn nodes() -> AdminNodes {
    let node = ListedNode {
        node: NodeId::new([5; 64]),
        agent: None,
        host: true,
        client: false,
        agent_version: "vipnode/0.1.0".to_owned(),
        client_version: "Geth/v1.17.5-stable/linux-amd64/go1.26.0".to_owned(),
        chain_id: 1,
        address: Some([203, 0, 113, 7].into()),
        block: "203.0.113.0/24".to_owned(),
        connected: true,
        since_ms: NOW.minus(600_000),
        slots: 20,
        leases_as_host: 3,
        leases_as_client: 0,
        drained: false,
    };
    AdminNodes { now: NOW, nodes: vec![node], next: None, drains_pool: false }
}
