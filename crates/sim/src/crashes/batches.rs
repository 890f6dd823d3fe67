use vipnode_pool_core::{
    ChannelReading, ChannelRow, Credentials, LastReport, LeaseRow, MergedPeriods, MeteredPeriod, NodeRow, Proven, Row,
    RowKey, Signer,
};
use vipnode_types::{
    Account, AccountKey, Amount, ChainSpec, Hash256, LeaseId, Ms, NodeId, Price,
    meter::{Seen, billed_ms},
    payment::{ChannelConfig, Voucher},
    protocol2::Kind,
};

use crate::SimRng;

/// Nodes that batches name.
const NODES: u64 = 200;

/// Batches with rows of all sizes, drawn from a seed: nodes come, leases begin and end, reports are noted, channels pay.
#[derive(Debug)]
pub(super) struct Batches {
    rng: SimRng,
    next_lease: u64,
    running: Vec<u64>,
    clock: u64,
}

impl Batches {
    pub(super) const fn new(rng: SimRng) -> Self {
        Self { rng, next_lease: 1, running: Vec::new(), clock: 1_700_000_000_000 }
    }

    /// Draws the next batch.
    pub(super) fn next_batch(&mut self) -> Vec<Row> {
        let rows = if self.rng.chance(100) { self.rng.range(50, 300) } else { self.rng.range(0, 12) };
        (0..rows).flat_map(|_| self.change()).collect()
    }

    fn change(&mut self) -> Vec<Row> {
        self.clock += self.rng.below(60_000);
        let now = Ms::new(self.clock);
        match self.rng.below(12) {
            0..=2 => vec![Row::Node(Box::new(self.node(now)))],
            3 | 4 => {
                self.running.push(self.next_lease);
                self.next_lease += 1;
                vec![Row::NextLease(self.next_lease), Row::Lease(Box::new(self.lease(self.next_lease - 1, now)))]
            }
            5 | 6 if !self.running.is_empty() => {
                let at = self.rng.index(self.running.len());
                let id = self.running.swap_remove(at);
                let period = Row::Metered(Box::new(self.period(id, now)));
                vec![period, Row::Delete(RowKey::Lease(LeaseId::new(id)))]
            }
            7 => vec![Row::Delete(RowKey::Node(self.any_node()))],
            8 => self.deferred(now),
            9 => self.channel(now).map(|row| Row::Channel(Box::new(row))).into_iter().collect(),
            _ => {
                let reports = self.rng.range(1, 40);
                let reports = (0..reports).map(|_| LastReport { id: self.any_node(), seen: now, nonce: self.clock });
                vec![Row::LastReport(reports.collect()), Row::Clock(now)]
            }
        }
    }

    /// A period that is not in the journal yet, or the end of one.
    fn deferred(&mut self, now: Ms) -> Vec<Row> {
        let period = self.period(self.next_lease, now);
        let key = RowKey::Deferred(period.lease.client, period.lease.host);
        vec![Row::Deferred(Box::new(period)), Row::Delete(key)].into_iter().take(self.rng.index_to(1) + 1).collect()
    }

    fn channel(&mut self, read: Ms) -> Option<ChannelRow> {
        let [payer, other] = [1, 2].map(|byte| Account::new([byte; 20]));
        let signer = AccountKey::from_bytes([u8::try_from(self.rng.range(1, 20)).unwrap_or(1); 32]).ok()?;
        let config = ChannelConfig {
            payer,
            payer_authorizer: signer.account(),
            receiver: other,
            receiver_authorizer: other,
            token: other,
            withdraw_delay_s: 900,
            salt: Hash256([3; 32]),
        };
        let [signed, claimed] =
            [self.rng.below(1 << 40), self.rng.below(1 << 30)].map(|amount| Amount::new(amount.into()));
        let voucher = Voucher { channel: config.id(1), max_claimable: signed };
        let state = ChannelReading { deposited: signed, claimed, ..ChannelReading::default() };
        Some(ChannelRow {
            config,
            signed,
            signature: signer.sign_typed(&voucher.typed_data(1)),
            state,
            read,
            metered_before: Amount::ZERO,
            claimed_before: Amount::ZERO,
            claimed,
        })
    }

    fn any_node(&mut self) -> NodeId {
        let mut bytes = [0; 64];
        let scattered = (self.rng.below(NODES) + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes();
        bytes.iter_mut().zip(scattered.iter().cycle()).for_each(|(byte, part)| *byte = *part);
        NodeId::new(bytes)
    }

    fn node(&mut self, now: Ms) -> NodeRow {
        NodeRow {
            id: self.any_node(),
            credentials: Credentials::new(Signer::NodeKey { nonce: now.get(), kind: Kind::Geth, full: true }),
            seen: now,
            chain: ChainSpec::without_genesis(1),
            enode: None,
            payout: None,
            host: self.rng.chance(500),
            client: true,
            proven: Proven::No,
            replaced: false,
            block: None,
            trial_used_ms: 0,
        }
    }

    fn lease(&mut self, id: u64, now: Ms) -> LeaseRow {
        LeaseRow {
            id: LeaseId::new(id),
            row: 0,
            client: self.any_node(),
            host: self.any_node(),
            payee: None,
            payer: None,
            fee_bps: 0,
            trial: false,
            price: Price::per_minute(60_000),
            carry: 0,
            offered: now,
            client_seen: self.rng.chance(500).then_some((now, None)),
            host_seen: None,
        }
    }

    fn period(&mut self, id: u64, now: Ms) -> MeteredPeriod {
        let lease = self.lease(id, now);
        let seen = Some(Seen { up: now.minus(self.rng.below(600_000)), end: now });
        let billed_ms = billed_ms(seen, seen);
        MeteredPeriod {
            cost: lease.price.cost(billed_ms).unwrap_or(Amount::ZERO),
            billed_ms,
            lease,
            client: seen,
            host: seen,
            ended: now,
            earlier: MergedPeriods::default(),
            folded: 0,
        }
    }
}
