//! Rows to write: few keys, so that they collide; values with every field set and at their limits.

use std::num::NonZeroU32;

use proptest::{collection::vec, option, prelude::*};
use vipnode_pool_core::{
    AddressBlock, Credentials, DelegationRow, HostPayout, HostTimeRow, LastReport, LeaseRow, MergedPeriods,
    MeteredPeriod, NodeRow, PairWeek, PairedTime, Protocol2State, Proven, RestoreRow, Row, RowKey, Signer, TimesRow,
    WideBlock,
};
use vipnode_types::{
    Account, AgentKey, Amount, Asset, ChainSpec, Enode, LeaseId, Ms, NodeId, Price,
    meter::{Seen, billed_ms},
    protocol2::Kind,
};

use super::{epoch_sample, ledger_sample};

/// An ordinary node.
pub(crate) fn node(number: u8) -> NodeRow {
    NodeRow {
        id: node_id(number),
        credentials: agent(Ms::new(1), false),
        seen: Ms::new(2),
        chain: ChainSpec { chain_id: 1337, genesis: [3; 32].into() },
        enode: None,
        payout: None,
        host: true,
        client: false,
        proven: Proven::No,
        replaced: false,
        block: None,
        trial_used_ms: 0,
    }
}

/// An ordinary running lease.
pub(crate) fn lease(number: u64, row: u32) -> LeaseRow {
    LeaseRow {
        id: LeaseId::new(number),
        row,
        client: node_id(1),
        host: node_id(2),
        payee: None,
        payer: None,
        fee_bps: 0,
        trial: false,
        price: Price::per_minute(60_000),
        carry: 0,
        offered: Ms::new(1),
        client_seen: None,
        host_seen: None,
    }
}

/// The metered row of a lease whose sides were connected to each other for `ms`.
pub(crate) fn metered(number: u64, row: u32, ms: u64) -> MeteredPeriod {
    let seen = Some(Seen { up: Ms::new(1_000), end: Ms::new(1_000 + ms) });
    let lease = lease(number, row);
    MeteredPeriod {
        billed_ms: billed_ms(seen, seen),
        cost: lease.price.cost(ms).unwrap_or(Amount::ZERO),
        lease,
        client: seen,
        host: seen,
        ended: Ms::new(2_000 + ms),
        earlier: MergedPeriods::default(),
        folded: 0,
    }
}

/// The id of the node with that number.
pub(crate) fn node_id(number: u8) -> NodeId {
    NodeId::new([number; 64])
}

/// Any row, of one of four nodes or four leases.
pub(crate) fn any_row() -> impl Strategy<Value = Row> {
    prop_oneof![
        3 => any_node().prop_map(|row| Row::Node(Box::new(row))),
        3 => any_lease().prop_map(|row| Row::Lease(Box::new(row))),
        3 => any_metered().prop_map(|row| Row::Metered(Box::new(row))),
        2 => vec(any_last_report(), 0..4).prop_map(Row::LastReport),
        4 => ledger_sample::any_row(),
        2 => epoch_sample::any_row(),
        2 => any_times().prop_map(|row| Row::Times(Box::new(row))),
        2 => any_metered().prop_map(|row| Row::Deferred(Box::new(row))),
        1 => any_delegation().prop_map(Row::Delegation),
        1 => any_id().prop_map(|id| Row::Delete(RowKey::Delegation(id))),
        1 => (any_id(), any_id()).prop_map(|(client, host)| Row::Delete(RowKey::Deferred(client, host))),
        1 => any_ms().prop_map(Row::Clock),
        1 => any::<u32>().prop_map(|next| Row::NextLease(next.into())),
        1 => (any_ms(), any::<bool>()).prop_map(|(at, is_settled)| Row::Restore(RestoreRow { at, is_settled })),
        1 => any_asset().prop_map(Row::Asset),
        1 => any_id().prop_map(|id| Row::Delete(RowKey::Node(id))),
        1 => any_id().prop_map(|id| Row::Delete(RowKey::Times(id))),
        1 => (0u64..4).prop_map(|id| Row::Delete(RowKey::Lease(LeaseId::new(id)))),
    ]
}

fn any_payout() -> impl Strategy<Value = HostPayout> {
    let account = || any::<[u8; 20]>().prop_map(Account::new);
    let payout = (account(), any_ms(), any_ms(), option::of((account(), any_ms())));
    payout.prop_map(|(account, counter, changed, next)| HostPayout { account, counter, changed, next })
}

fn any_node() -> impl Strategy<Value = NodeRow> {
    let enode = (any::<std::net::IpAddr>(), 1u16.., any::<Option<u16>>());
    let flags = any::<[bool; 3]>();
    (
        any_id(),
        any_credentials(),
        any_ms(),
        any::<[u8; 32]>(),
        any::<u64>(),
        option::of(enode),
        option::of(any_payout()),
        (flags, any_proven(), any_block(), any::<u32>()),
    )
        .prop_map(
            |(
                id,
                credentials,
                seen,
                genesis,
                chain_id,
                enode,
                payout,
                ([host, client, replaced], proven, block, trial_used_ms),
            )| {
                NodeRow {
                    id,
                    credentials,
                    seen,
                    chain: ChainSpec { chain_id, genesis: genesis.into() },
                    enode: enode.map(|(ip, port, disc_port)| Enode { disc_port, ..Enode::at(id, ip, port) }),
                    payout,
                    host,
                    client,
                    proven,
                    replaced,
                    block,
                    trial_used_ms,
                }
            },
        )
}

fn any_block() -> impl Strategy<Value = Option<AddressBlock>> {
    option::of(any::<u64>().prop_map(AddressBlock::from_bits))
}

fn any_delegation() -> impl Strategy<Value = DelegationRow> {
    let block = any::<u64>().prop_map(AddressBlock::from_bits);
    (any_id(), any_ms(), block).prop_map(|(id, issued, block)| DelegationRow { id, issued, block })
}

fn any_proven() -> impl Strategy<Value = Proven> {
    let time =
        || (any::<u64>(), any::<u64>()).prop_map(|(bits, ms)| PairedTime { with: WideBlock::from_bits(bits), ms });
    prop_oneof![
        Just(Proven::No),
        (time(), time()).prop_map(|(first, second)| Proven::Partly(Box::new([first, second]))),
        Just(Proven::Yes),
    ]
}

/// The time of a client with some hosts.
pub(crate) fn any_times() -> impl Strategy<Value = TimesRow> {
    let time = || {
        let parts = (any::<u32>(), any::<[u32; 3]>(), any::<[u32; 7]>());
        parts.prop_map(|(day, [unpaired_ms, counted_ms, block_ms], billed_ms)| PairWeek {
            day,
            unpaired_ms,
            counted_ms,
            block_ms,
            billed_ms,
        })
    };
    let block = || option::of(any::<u64>().prop_map(AddressBlock::from_bits));
    let host = (any_id(), block(), time()).prop_map(|(host, block, time)| HostTimeRow { host, block, time });
    (any_id(), block(), time(), vec(host, 0..4)).prop_map(|(client, block, others, hosts)| TimesRow {
        client,
        block,
        others,
        hosts,
    })
}

fn any_credentials() -> impl Strategy<Value = Credentials> {
    let kind = prop_oneof![Just(Kind::Unknown), Just(Kind::Geth), Just(Kind::Parity), Just(Kind::Pantheon)];
    let signer = prop_oneof![
        any::<bool>().prop_map(|protocol2| agent(Ms::ZERO, protocol2).signer),
        (any_nonce(), kind, any::<bool>()).prop_map(|(nonce, kind, full)| Signer::NodeKey { nonce, kind, full }),
    ];
    let protocol2 = (any_nonce(), vec(any_id(), 0..4))
        .prop_map(|(nonce, drop)| Box::new(Protocol2State { nonce, drop, announced: 0 }));
    (signer, any_ms(), option::of(protocol2)).prop_map(|(signer, issued, protocol2)| Credentials {
        signer,
        issued,
        protocol2,
    })
}

fn any_last_report() -> impl Strategy<Value = LastReport> {
    (any_id(), any_ms(), any_nonce()).prop_map(|(id, seen, nonce)| LastReport { id, seen, nonce })
}

/// Below 2^63, as on the wire.
fn any_nonce() -> impl Strategy<Value = u64> {
    prop_oneof![0u64..10, Just(i64::MAX.unsigned_abs())]
}

fn any_lease() -> impl Strategy<Value = LeaseRow> {
    let side = || option::of((any_ms(), option::of(any_ms())));
    let names = (0u64..4, 0u32..2, any_id(), any_id());
    (
        names,
        (any_payee(), any_payee(), any::<u16>(), any::<bool>()),
        any_price(),
        any_ms(),
        side(),
        side(),
        any::<u32>(),
    )
        .prop_map(
            |(
                (id, row, client, host),
                (payee, payer, fee_bps, trial),
                price,
                offered,
                client_seen,
                host_seen,
                carry,
            )| LeaseRow {
                id: LeaseId::new(id),
                row,
                client,
                host,
                payee,
                payer,
                fee_bps,
                trial,
                price,
                carry,
                offered,
                client_seen,
                host_seen,
            },
        )
}

/// Mostly one of a few values, so that rows repeat; otherwise any value, for conflicts.
fn any_metered() -> impl Strategy<Value = MeteredPeriod> {
    let seen = || option::of((any_ms(), any_ms()).prop_map(|(up, end)| Seen { up, end }));
    let earlier = (any::<u32>(), any::<u64>(), any::<u128>());
    let earlier =
        earlier.prop_map(|(rows, billed_ms, cost)| MergedPeriods { rows, billed_ms, cost: Amount::new(cost) });
    let wild = (any_lease(), seen(), seen(), any_ms(), earlier).prop_map(|(lease, client, host, ended, earlier)| {
        MeteredPeriod {
            billed_ms: billed_ms(client, host),
            cost: lease.price.cost(billed_ms(client, host)).unwrap_or(Amount::ZERO),
            lease,
            client,
            host,
            ended,
            earlier,
            folded: 0,
        }
    });
    let tame = (4u64..12, 0u32..2).prop_map(|(lease, row)| metered(lease, row, 60_000));
    prop_oneof![4 => tame, 1 => wild]
}

fn any_asset() -> impl Strategy<Value = Asset> {
    prop_oneof![Just(Asset::ETHER), Just(Asset::new("USDC", 6).expect("an asset"))]
}

fn any_price() -> impl Strategy<Value = Price> {
    (any_asset(), 0..1u128 << 96, 1..=u32::MAX).prop_filter_map("a price", |(asset, amount, period)| {
        Price::new(asset, Amount::new(amount), NonZeroU32::new(period)?)
    })
}

fn any_payee() -> impl Strategy<Value = Option<Account>> {
    option::of(any::<[u8; 20]>().prop_map(Account::new))
}

fn any_id() -> impl Strategy<Value = NodeId> {
    (0u8..4).prop_map(node_id)
}

/// Below 2^63: SQL has no larger integers.
fn any_ms() -> impl Strategy<Value = Ms> {
    prop_oneof![0u64..10, Just(i64::MAX.unsigned_abs()), 1_700_000_000_000u64..1_900_000_000_000].prop_map(Ms::new)
}

pub(super) fn agent(issued: Ms, protocol2: bool) -> Credentials {
    let key = AgentKey::from_random([7; 32]).expect("a key").public();
    Credentials { issued, ..Credentials::new(Signer::Agent { key, protocol2 }) }
}
