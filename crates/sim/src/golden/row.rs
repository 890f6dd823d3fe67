//! What the pool's core has written to the store.

use vipnode_pool_core::{
    Credentials, DelegationRow, HostPayout, HostTimeRow, LastReport, LeaseRow, MergedPeriods, MeteredPeriod, NodeRow,
    PairWeek, Pricing, PricingRow, Protocol2State, Proven, Row, RowKey, Signer, TimesRow,
};
use vipnode_types::meter::Seen;

use super::{Encode, Encoder, epoch};

impl Encode for Row {
    fn encode(&self, out: &mut Encoder) {
        match self {
            Self::Node(row) => {
                out.number(1);
                row.encode(out);
            }
            Self::Lease(row) => {
                out.number(2);
                row.encode(out);
            }
            Self::Metered(row) => {
                out.number(3);
                row.encode(out);
            }
            Self::LastReport(rows) => {
                out.number(4);
                rows.encode(out);
            }
            Self::Clock(floor) => {
                out.number(5);
                floor.encode(out);
            }
            Self::NextLease(next) => {
                out.number(6);
                next.encode(out);
            }
            Self::Delete(key) => {
                out.number(7);
                key.encode(out);
            }
            Self::Times(row) => {
                out.number(8);
                row.encode(out);
            }
            Self::Deferred(row) => {
                out.number(9);
                row.encode(out);
            }
            Self::Delegation(row) => {
                out.number(10);
                row.encode(out);
            }
            Self::Asset(asset) => {
                out.number(11);
                out.text(asset.symbol());
            }
            Self::Restore(row) => {
                out.number(22);
                row.at.encode(out);
                row.is_settled.encode(out);
            }
            row => encode_ledger(row, out),
        }
    }
}

/// Encodes a row of the ledger.
fn encode_ledger(row: &Row, out: &mut Encoder) {
    match row {
        Row::Payment(mode) => {
            out.number(12);
            out.text(mode.name());
        }
        Row::Pricing(row) => {
            out.number(20);
            row.encode(out);
        }
        Row::Entry(entry) => {
            out.number(13);
            entry.encode(out);
        }
        Row::Account(row) => {
            out.number(14);
            row.encode(out);
        }
        Row::Link(row) => {
            out.number(15);
            row.encode(out);
        }
        Row::LinkCounter(account, counter) => {
            out.number(16);
            account.encode(out);
            counter.encode(out);
        }
        Row::Channel(row) => {
            out.number(21);
            row.encode(out);
        }
        Row::Unpaid(row) => {
            out.number(17);
            row.encode(out);
        }
        Row::Period(row) => {
            out.number(18);
            row.encode(out);
        }
        Row::Payout(row) => {
            out.number(19);
            row.encode(out);
        }
        Row::Epoch(_) | Row::EpochClaim(_) | Row::ChainTransaction(_) => epoch::encode_row(row, out),
        Row::Node(_)
        | Row::Lease(_)
        | Row::Metered(_)
        | Row::LastReport(_)
        | Row::Clock(_)
        | Row::NextLease(_)
        | Row::Restore(_)
        | Row::Delete(_)
        | Row::Times(_)
        | Row::Deferred(_)
        | Row::Delegation(_)
        | Row::Asset(_) => {}
    }
}

impl Encode for RowKey {
    fn encode(&self, out: &mut Encoder) {
        match self {
            Self::Node(node) => {
                out.number(1);
                node.encode(out);
            }
            Self::Lease(lease) => {
                out.number(2);
                lease.encode(out);
            }
            Self::Times(client) => {
                out.number(3);
                client.encode(out);
            }
            Self::Deferred(client, host) => {
                out.number(4);
                client.encode(out);
                host.encode(out);
            }
            Self::Delegation(node) => {
                out.number(5);
                node.encode(out);
            }
            Self::Link(node) => {
                out.number(6);
                node.encode(out);
            }
            Self::Unpaid(entry) => {
                out.number(7);
                entry.encode(out);
            }
            Self::Payout(number) => {
                out.number(8);
                number.encode(out);
            }
            Self::EpochClaim(signer) => {
                out.number(9);
                signer.encode(out);
            }
            Self::ChainTransaction(nonce) => {
                out.number(10);
                nonce.encode(out);
            }
        }
    }
}

impl Encode for DelegationRow {
    fn encode(&self, out: &mut Encoder) {
        let Self { id, issued, block } = self;
        id.encode(out);
        issued.encode(out);
        block.to_bits().encode(out);
    }
}

impl Encode for TimesRow {
    fn encode(&self, out: &mut Encoder) {
        let Self { client, block, others, hosts } = self;
        client.encode(out);
        block.map(|block| block.to_bits()).encode(out);
        others.encode(out);
        hosts.encode(out);
    }
}

impl Encode for HostTimeRow {
    fn encode(&self, out: &mut Encoder) {
        let Self { host, block, time } = self;
        host.encode(out);
        block.map(|block| block.to_bits()).encode(out);
        time.encode(out);
    }
}

impl Encode for PairWeek {
    fn encode(&self, out: &mut Encoder) {
        let Self { day, unpaired_ms, counted_ms, block_ms, billed_ms } = self;
        for number in [day, unpaired_ms, counted_ms, block_ms].into_iter().chain(billed_ms) {
            number.encode(out);
        }
    }
}

impl Encode for LastReport {
    fn encode(&self, out: &mut Encoder) {
        let Self { id, seen, nonce } = self;
        id.encode(out);
        seen.encode(out);
        nonce.encode(out);
    }
}

impl Encode for PricingRow {
    fn encode(&self, out: &mut Encoder) {
        let Self { settings, current, announced, since, next } = self;
        settings.encode(out);
        current.encode(out);
        announced.encode(out);
        since.encode(out);
        next.map(|next| (next.pricing, (next.from, next.announced))).encode(out);
    }
}

impl Encode for Pricing {
    fn encode(&self, out: &mut Encoder) {
        // What is stored is the price of a pool, which trials do not have.
        let Self { price, fee_bps, trial: _never } = self;
        price.encode(out);
        fee_bps.encode(out);
    }
}

impl Encode for NodeRow {
    fn encode(&self, out: &mut Encoder) {
        let Self { id, credentials, seen, chain, enode, payout, host, client, proven, replaced, block, trial_used_ms } =
            self;
        id.encode(out);
        credentials.encode(out);
        seen.encode(out);
        chain.encode(out);
        enode.encode(out);
        payout.map(|payout| payout.account).encode(out);
        if let Some(HostPayout { account: _, counter, changed, next }) = payout {
            counter.encode(out);
            changed.encode(out);
            next.encode(out);
        }
        host.encode(out);
        client.encode(out);
        replaced.encode(out);
        block.map(|block| block.to_bits()).encode(out);
        // Written only where there is something, as most nodes of the seeds are never proven.
        match proven {
            Proven::No => {}
            Proven::Partly(times) => times.iter().for_each(|time| {
                time.with.to_bits().encode(out);
                time.ms.encode(out);
            }),
            Proven::Yes => true.encode(out),
        }
        if *trial_used_ms > 0 {
            trial_used_ms.encode(out);
        }
    }
}

impl Encode for Credentials {
    fn encode(&self, out: &mut Encoder) {
        let Self { signer, issued, protocol2 } = self;
        signer.encode(out);
        issued.encode(out);
        protocol2.encode(out);
    }
}

impl Encode for Signer {
    fn encode(&self, out: &mut Encoder) {
        match self {
            Self::Agent { key, protocol2 } => {
                out.number(1);
                key.encode(out);
                protocol2.encode(out);
            }
            Self::NodeKey { nonce, kind, full } => {
                out.number(2);
                nonce.encode(out);
                kind.encode(out);
                full.encode(out);
            }
        }
    }
}

impl Encode for Protocol2State {
    fn encode(&self, out: &mut Encoder) {
        let Self { nonce, drop, announced } = self;
        nonce.encode(out);
        drop.encode(out);
        announced.encode(out);
    }
}

impl Encode for LeaseRow {
    fn encode(&self, out: &mut Encoder) {
        let Self { id, row, client, host, payee, payer, price, fee_bps, trial, carry, offered, client_seen, host_seen } =
            self;
        id.encode(out);
        row.encode(out);
        client.encode(out);
        host.encode(out);
        payee.encode(out);
        price.encode(out);
        offered.encode(out);
        client_seen.encode(out);
        host_seen.encode(out);
        carry.encode(out);
        // Written only where a client pays, because in most seeds none does.
        if let Some(payer) = payer {
            payer.encode(out);
            fee_bps.encode(out);
        }
        if *trial {
            trial.encode(out);
        }
    }
}

impl Encode for MeteredPeriod {
    fn encode(&self, out: &mut Encoder) {
        let Self { lease, client, host, billed_ms, cost, ended, earlier, folded } = self;
        lease.encode(out);
        client.encode(out);
        host.encode(out);
        billed_ms.encode(out);
        cost.encode(out);
        ended.encode(out);
        let MergedPeriods { rows, billed_ms, cost } = earlier;
        rows.encode(out);
        billed_ms.encode(out);
        cost.encode(out);
        // Written only where a store folded rows: the core never does.
        if *folded > 0 {
            folded.encode(out);
        }
    }
}

impl Encode for Seen {
    fn encode(&self, out: &mut Encoder) {
        let Self { up, end } = self;
        up.encode(out);
        end.encode(out);
    }
}
