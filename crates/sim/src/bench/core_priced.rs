//! The memory of the pool core whose clients pay.

use std::io::{self, Write};

use serde_json::{Value, json};
use vipnode_pool_core::{AccountLink, Command, LedgerChange, LedgerChangeKind, Limits, LinkConsent, OperatorOrder};
use vipnode_types::{Account, Amount, PaymentMode, Price};

use super::{
    core_reports::{ReportFleet, START, address, benchmark_limits, measured, node, peer},
    load::scaled,
    machine,
    measurement::Measurement,
};

const NODES: u32 = 200_000;

/// Measures an account, its link to a node, and a lease for which it pays.
pub(crate) fn run(figures: &mut Vec<Measurement>) -> io::Result<()> {
    let measured = measured("core-priced", NODES)?;
    let size = format!("{NODES} nodes and {} leases", NODES * 2);
    let kinds = [
        ("an account that the operator credited", "account_bytes", Some(192)),
        ("the link of a node with its account", "link_bytes", None),
        ("a lease for which an account pays", "lease_bytes", Some(144)),
    ];
    for (what, name, target) in kinds {
        let bytes = measured.get(name).and_then(Value::as_u64).unwrap_or(u64::MAX);
        figures.push(Measurement {
            bench: "core",
            what: format!("memory of {what}, indexes included, among {size}"),
            figure: format!("{bytes} bytes"),
            floor: String::new(),
            ratio: String::new(),
            target: target.map_or_else(String::new, |target| format!("<= {target} bytes")),
            reached: target.map(|target| bytes <= target),
        });
    }
    Ok(())
}

/// Measures in this process, which has nothing else in its memory, and prints the numbers as JSON.
pub(crate) fn serve(nodes: u32, out: &mut impl Write) -> io::Result<()> {
    machine::pin(machine::MEASURED)?;
    let limits = Limits { price: Price::per_minute(1), payment: PaymentMode::Credit, ..benchmark_limits() };
    let mut fleet = ReportFleet::new(nodes, limits)?;
    fleet.connect_all();
    let clients = nodes / 2;
    let account = grown(clients, || (1..nodes).step_by(2).for_each(|client| credit(&mut fleet, client)))?;
    let link = grown(clients, || (1..nodes).step_by(2).for_each(|client| link(&mut fleet, client)))?;
    let before = machine::user_bytes(std::process::id())?;
    let leases = fleet.lease_all()?;
    let lease = scaled(machine::user_bytes(std::process::id())?.saturating_sub(before), 1, u64::from(leases));
    writeln!(out, "{}", json!({"account_bytes": account, "link_bytes": link, "lease_bytes": lease}))?;
    out.flush()
}

/// Returns by how many bytes the memory of this process grows, for each of so many.
fn grown(count: u32, work: impl FnOnce()) -> io::Result<u64> {
    let before = machine::user_bytes(std::process::id())?;
    work();
    Ok(scaled(machine::user_bytes(std::process::id())?.saturating_sub(before), 1, u64::from(count)))
}

/// Each client has an account of its own.
fn payer(client: u32) -> Account {
    let mut bytes = [3; 20];
    bytes[..4].copy_from_slice(&client.to_le_bytes());
    Account::new(bytes)
}

fn credit(fleet: &mut ReportFleet, client: u32) {
    let kind = LedgerChangeKind::Credit { payer: payer(client), amount: Amount::new(1 << 40) };
    let order = OperatorOrder { by: Some(0), reason: "a benchmark".to_owned(), key: None };
    let change = Box::new(LedgerChange { kind, order, allow_negative: true });
    fleet.handle(Command::Ledger { connection: peer(client), request: 0, change });
}

fn link(fleet: &mut ReportFleet, client: u32) {
    let consent = LinkConsent::Both { issued: START, chain_id: 1 };
    let link = AccountLink { node: node(client), account: payer(client), counter: START, consent };
    fleet.handle(Command::Link { connection: peer(client), request: 0, address: address(client), link });
}
