//! The methods of protocol 3 about accounts.

use super::{
    examples::{self, CHALLENGE, NOW},
    method_row::{CallDirection, MethodRow, Signing},
};
use vipnode_types::{
    Amount, Asset, LeaseId, ShortNodeId, SignedAmount, UtcDay,
    wire::{
        AccountFunds, AccountQuery, AccountView, CollectedSums, DailyLine, DailyStatement, DailyStatementRequest,
        DailySums, Done, ErrorCode, FundsRequest, LeasePeriod, LinkReply, LinkRequest, NodeFunds, PayoutRequest,
        PayoutView, SignedDailyStatement, Statement, StatementBalances, StatementKind, StatementLine, StatementRange,
        StatementRequest, StatementSide, UnlinkRequest, method,
    },
};

/// The errors of a call that an account signs.
const CODES: &[ErrorCode] =
    &[ErrorCode::InvalidParams, ErrorCode::Unauthorized, ErrorCode::Unsuitable, ErrorCode::Busy];

pub(super) fn link() -> MethodRow {
    let text = "From then on, the pool charges the node's spending to the account's balance at the pool. Both must \
                agree: the account signs a message (EIP-191), and the node's agent signs the call. The counter must be \
                greater than that of any earlier link of the account, at most 24 h old, and at most 5 min in the \
                future. The operator must already have credited the account. The running billing periods of the node \
                end first. The reply reports whether the account has enough funds for the node's leases, or for a \
                first one.";
    let request = examples::link_request();
    let call = request.and_then(|request| examples::signed(method::LINK, CHALLENGE, &request));
    MethodRow::new::<LinkReply>(
        method::LINK,
        CallDirection::AgentToPool,
        "Link the node to an account",
        text,
        ("linked", "Whether the account can pay for the node"),
    )
    .takes::<LinkRequest>("link", "The account, and its signature")
    .signed(Signing::Always)
    .fails(CODES)
    .example("an account pays for Ben's node", call, &LinkReply::default())
}

pub(super) fn unlink() -> MethodRow {
    let text = "Either side can end the link: the account with a signature in the request, or the node with its \
                agent's envelope. The running billing periods of the node end first.";
    let request = UnlinkRequest { account: examples::payer(), node: examples::client(), counter: NOW, signature: None };
    MethodRow::new::<Done>(
        method::UNLINK,
        CallDirection::AccountToPool,
        "End the link between a node and an account",
        text,
        ("done", "An empty object"),
    )
    .takes::<UnlinkRequest>("link", "The account and the node")
    .signed(Signing::AgentOrAccount)
    .fails(CODES)
    .example("Ben's agent ends the link", examples::signed(method::UNLINK, CHALLENGE, &request), &Done {})
}

/// What an account has that was credited 0.003 ether.
fn payers_funds() -> AccountFunds {
    AccountFunds {
        balance: SignedAmount::difference(Amount::new(2_100_000_000_000_000), Amount::ZERO),
        running: Amount::new(100_000_000_000_000),
        limit: Amount::ZERO,
        available: Amount::new(2_000_000_000_000_000),
    }
}

/// The funds of a client, as an example.
#[must_use]
pub fn funds_of_a_client() -> NodeFunds {
    NodeFunds {
        asset: Asset::ETHER,
        account: Some(examples::payer()),
        funds: payers_funds(),
        payout: None,
        next_payout: None,
        earned: Amount::ZERO,
        payable: Amount::ZERO,
        channel: None,
    }
}

pub(super) fn funds() -> MethodRow {
    let text = "Returns what the caller's own node may still spend, and what its payout account has earned.";
    let reply = funds_of_a_client();
    MethodRow::new::<NodeFunds>(
        method::FUNDS,
        CallDirection::AgentToPool,
        "Get the node's funds and earnings",
        text,
        ("funds", "The funds of the node"),
    )
    .takes::<FundsRequest>("nothing", "An empty object")
    .signed(Signing::OverHttp)
    .fails(CODES)
    .example("a client with funds", examples::bare(&FundsRequest {}), &reply)
}

pub(super) fn payout() -> MethodRow {
    let text = "Names the account that receives what a node earns. The node key signs the account, so the call needs no envelope and does not have to come from the node's agent. The first account takes effect at once. A change of account takes effect after payout_delay_ms (24 h), and is possible at most once every payout_change_ms (24 h). Until it takes effect, the owner of the current account can see it, and a call that names the current account cancels it. The counter must be greater than that of any earlier payout account signed by the node. The running billing periods of the host end before the account changes.";
    let request = examples::payout_request();
    let reply = PayoutView { account: examples::account(), next: None };
    MethodRow::new::<PayoutView>(
        method::PAYOUT,
        CallDirection::AgentToPool,
        "Set the account that receives what a node earns",
        text,
        ("payout", "The current account, and the pending one"),
    )
    .takes::<PayoutRequest>("payout", "The node, and its signed payout account")
    .fails(CODES)
    .example("Ana's node names an account", request.and_then(|request| examples::bare(&request)), &reply)
}

pub(super) fn account() -> MethodRow {
    let text = "Returns the balances and nodes of an account. The account signs a message (EIP-191) that names the \
        pool, so that nobody else can read them. A signature is valid for one hour.";
    let view = AccountView {
        asset: Asset::ETHER,
        time_ms: NOW,
        credited: Amount::new(3_000_000_000_000_000),
        debited: Amount::ZERO,
        spent: Amount::new(900_000_000_000_000),
        funds: payers_funds(),
        earned: Amount::ZERO,
        secured: Amount::ZERO,
        payable: Amount::ZERO,
        nodes: vec![examples::client()],
        leaving: Vec::new(),
    };
    let query = examples::account_query();
    MethodRow::new::<AccountView>(
        method::ACCOUNT,
        CallDirection::AccountToPool,
        "Get the balances of an account",
        text,
        ("account", "The account"),
    )
    .takes::<AccountQuery>("account", "The account, and its signature")
    .fails(CODES)
    .example("an account with one node", query.and_then(|query| examples::bare(&query)), &view)
}

pub(super) fn statement() -> MethodRow {
    let text = "Returns a page of the pool's ledger, read from one consistent snapshot. With `account`, it contains \
        the entries of an account, which signs a message (EIP-191) as for `vipnode_account`. Without `account`, it \
        contains the billing periods of the caller's own node. The lines of an account add up: for each side, the \
        opening balance plus the changes on the page equals the closing balance. To get the next page, pass `next` as \
        `range.after`. `range` selects entries by the time at which they were posted.";
    let range = StatementRange { most: 1_000, ..StatementRange::default() };
    let request = StatementRequest { account: examples::account_query(), range };
    MethodRow::new::<Statement>(
        method::STATEMENT,
        CallDirection::AccountToPool,
        "Get a page of the statement of an account or of the agent's node",
        text,
        ("statement", "A page of the statement"),
    )
    .takes::<StatementRequest>("statement", "The account, and the part of its statement to return")
    .signed(Signing::AgentOrAccount)
    .fails(CODES)
    .example("an account whose node used a slot for a day", examples::bare(&request), &statement_page())
}

pub(super) fn daily_statement() -> MethodRow {
    let text = "Returns a page of the pool's signed statement of what the caller's node earned on a day (UTC), with one line for each billing period that was posted on that day. The statement of a past day never changes. Each page is signed separately, with its number and the sums of the whole day, so it proves its own contents even without the other pages. The \"Protocol 3\" page of the book describes what is signed. The host keeps the pages: they prove what \
                the pool stated, and two periods with overlapping intervals of one meter (within one incarnation) prove \
                that it billed the same funds twice. For a day that is not over, the pool returns \"busy\".";
    let page = daily_statement_page();
    let request =
        page.as_ref().map(|signed| DailyStatementRequest { day: signed.statement.day, page: signed.statement.page });
    let row = MethodRow::new::<SignedDailyStatement>(
        method::DAILY_STATEMENT,
        CallDirection::AgentToPool,
        "Get a page of a host's signed daily statement",
        text,
        ("statement", "A page of the statement, and the pool's signature"),
    )
    .takes::<DailyStatementRequest>("day", "The day, and the page number")
    .signed(Signing::OverHttp)
    .fails(CODES);
    row.example("Ana's node provided a slot for a day", request.and_then(|request| examples::bare(&request)), &page)
}

fn daily_statement_page() -> Option<SignedDailyStatement> {
    let (key, price, day) = (examples::pool_key()?, examples::price(), UtcDay::of(NOW));
    let cost = price.cost(UtcDay::MS).unwrap_or_default();
    let line = DailyLine {
        entry: 2,
        lease: LeaseId::new(1),
        row: 0,
        counterpart: ShortNodeId::of(&examples::client()),
        first_ms: Some(NOW.minus(UtcDay::MS)),
        last_ms: Some(NOW),
        billed_ms: UtcDay::MS,
        merged: 0,
        price,
        cost,
        secured: cost,
        fee: Amount::ZERO,
        meter: key.meter_of(&examples::payer()),
        interval: [Amount::ZERO, cost],
    };
    let statement = DailyStatement {
        pool: key.id(),
        incarnation: 0,
        host: examples::host(),
        day,
        asset: price.asset(),
        page: 1,
        pages: 1,
        day_sums: DailySums::of([&line])?,
        day_collected: CollectedSums::default(),
        lines: vec![line],
        collected: Vec::new(),
    };
    Some(statement.sign(&key))
}

/// A page of the statement of an account.
#[must_use]
pub fn statement_page() -> Statement {
    let amount = |units: u128| Amount::new(units);
    let plus = |units| SignedAmount::difference(amount(units), Amount::ZERO);
    let price = examples::price();
    let cost = price.cost(86_400_000).unwrap_or_default();
    let credited = amount(3_000_000_000_000_000);
    let credit = StatementLine {
        entry: 1,
        at_ms: NOW.minus(90_000_000),
        side: StatementSide::Payer,
        kind: StatementKind::Credit,
        change: plus(credited.get()),
        fee: Amount::ZERO,
        secured: Amount::ZERO,
        limit: None,
        reason: Some("bank transfer".to_owned()),
        payout: None,
        secures: None,
        lease: None,
    };
    let period = LeasePeriod {
        lease: LeaseId::new(1),
        row: 0,
        node: examples::client().short(),
        counterpart: examples::host().short(),
        first_ms: Some(NOW.minus(86_400_000)),
        last_ms: Some(NOW),
        billed_ms: 86_400_000,
        merged: 0,
        price,
        trial: false,
        cost,
        interval: [Amount::ZERO, cost],
    };
    let lease = StatementLine {
        entry: 2,
        at_ms: NOW,
        kind: StatementKind::Lease,
        change: plus(cost.get()).negated(),
        secured: cost,
        reason: None,
        lease: Some(period),
        ..credit
    };
    let balance = SignedAmount::difference(credited, cost);
    Statement {
        asset: price.asset(),
        batch: 4_711,
        opening: Some(StatementBalances::default()),
        lines: vec![credit, lease],
        closing: Some(StatementBalances { payer: balance, host: SignedAmount::ZERO }),
        next: None,
    }
}
