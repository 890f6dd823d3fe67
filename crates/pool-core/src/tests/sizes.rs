use std::net::IpAddr;

use vipnode_types::{Account, Amount, Enode};

use super::pool::{START, agent_key, chain, client, host, node};
use crate::{
    AccountFigures, AccountRow, Command, ConnectionId, Core, Identity, LedgerAccount, Limits,
    collections::seeded_rng::SeededRng,
    leases::{Leases, lease::CountedAs, offer::LeaseTerms, pricing::Pricing},
    ledger::accounts::Accounts,
    output::Output,
};

/// As many as fill the tables worst: one more than a doubling leaves room for.
const WORST: u32 = 7 * 8192 / 8 + 1;

#[test]
fn a_node_takes_at_most_460_bytes_indexes_included() {
    let mut core = Core::new(Limits::default(), [1; 32], START);
    let mut out = Vec::new();
    for agent in 0..WORST {
        let mut hello = host(agent, 4);
        hello.client = client(agent).client;
        hello.enode = Some(Enode::at(node(agent), IpAddr::from([1, 2, 3, 4]), 30303));
        let identity = Identity { node: node(agent), agent: agent_key(), issued: START };
        let connection = ConnectionId { gateway: 0, connection: agent, generation: 0 };
        let address = IpAddr::from(u32::to_be_bytes(0x0b00_0000 + agent));
        core.handle(
            START,
            Command::Connect { connection, request: 0, identity, address, callable: true, hello: Box::new(hello) },
            &mut out,
        );
        out.clear();
    }
    assert_eq!(core.agents.chain(0), Some(&chain(1)));
    // Registry, silence, dirty list; what the other owners keep by index; the two lists of open and of connected hosts.
    let lists = (core.matching.open_hosts().connected().len().next_power_of_two()) * 4 * 2;
    let dirty = WORST.next_power_of_two() as usize * 8;
    let others = core.matching.node_heap_bytes() + core.leases.node_heap_bytes() + core.metering.heap_bytes();
    let bytes = core.agents.heap_bytes() + others + lists + dirty;
    let each = bytes / WORST as usize;
    assert!(each <= 460, "{each} bytes a node, {} of them itself", size_of::<crate::agents::node::Node>());
}

#[test]
fn a_lease_takes_at_most_104_bytes_indexes_included() {
    let mut leases = Leases::new(&mut SeededRng::new([1; 32]));
    let mut output = Output::new(START);
    for _ in 0..WORST {
        let terms = LeaseTerms { client: 1, host: 2, pricing: Pricing::default(), counted: CountedAs::Unshared };
        leases.offer(&mut output, terms).unwrap();
    }
    let each = leases.heap_bytes() / WORST as usize;
    assert!(each <= 104, "{each} bytes a lease, {} of them itself", size_of::<crate::leases::lease::Lease>());
}

/// A lease keeps what it costs by the number of its price, so one that costs something takes no more memory. What its payer's
/// leases cost together is one sum.
#[test]
fn a_ledger_account_takes_at_most_192_bytes_indexes_included() {
    let mut accounts = Accounts::default();
    for number in 0..WORST {
        let mut bytes = [7; 20];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        let account = LedgerAccount::Payer(Account::new(bytes));
        accounts.restore(&AccountRow {
            account,
            figures: AccountFigures { received: Amount::new(1), ..Default::default() },
        });
    }
    let each = accounts.payer_heap_bytes() / WORST as usize;
    assert!(each <= 192, "{each} bytes an account");
}
