use std::{collections::BTreeMap, ops::Bound};

use vipnode_types::{
    Account, Amount, Ms,
    payment::{ChannelConfig, ChannelId, TypedDataSignature, VoucherClaim},
    wire::ChannelFunds,
};

use crate::{
    ChannelReading, ChannelRow, ConnectionId, RequestId, Row,
    collections::{address_block::AddressBlock, block_shares::BlockShares},
    ledger::{Ledger, burn::BurnRate, transaction::Transaction},
    output::Output,
};

/// The payment channels that clients spend from, by the account that signs their vouchers: the key of the client's agent, which
/// is the payer in the ledger. A payer has one channel at a time.
#[derive(Debug, Default)]
pub(crate) struct Channels {
    live: BTreeMap<Account, ChannelRow>,
    /// First vouchers of channels whose deposit is being read from the chain.
    read: BTreeMap<Account, FirstVoucher>,
    /// How many of these the agents in each address block have.
    shares: BlockShares,
    /// When a voucher of each payer was taken last, since the pool started.
    signed_at: BTreeMap<Account, Ms>,
}

/// The first voucher of a channel, which waits until the channel's deposit was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FirstVoucher {
    /// The channel's ID.
    pub(crate) id: ChannelId,
    /// The payment channel that it is about.
    pub(crate) config: ChannelConfig,
    /// The voucher's amount.
    pub(crate) signed: Amount,
    /// The signature of the voucher.
    pub(crate) signature: TypedDataSignature,
    /// Whom the pool answers.
    pub(crate) caller: (ConnectionId, RequestId),
    /// Where the agent is.
    pub(crate) block: AddressBlock,
    /// Until when the chain is waited for.
    pub(crate) until: Ms,
}

/// What was learned of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChannelNews {
    /// What the escrow holds for it.
    State(ChannelReading),
    /// What was claimed of it, in all, as of the newest final block.
    Claimed(Amount),
    /// It could not be read.
    Failed,
}

impl Channels {
    /// The channel of a payer.
    pub(crate) fn of(&self, signer: Account) -> Option<&ChannelRow> {
        self.live.get(&signer)
    }

    /// The channels by payer.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &ChannelRow> {
        self.live.values()
    }

    pub(crate) fn restore(&mut self, row: ChannelRow) {
        self.live.insert(row.config.payer_authorizer, row);
    }

    /// Whether a first voucher of a signer waits for the chain.
    pub(crate) fn waits(&self, signer: Account) -> bool {
        self.read.contains_key(&signer)
    }

    /// Has a first voucher wait for the chain. None of the same signer waits.
    pub(crate) fn wait(&mut self, voucher: FirstVoucher) {
        self.shares.take(voucher.block);
        self.read.insert(voucher.config.payer_authorizer, voucher);
    }

    /// Whether an agent in an address block may have a first voucher wait, of at most `most` of all agents.
    pub(crate) fn may_wait(&self, block: AddressBlock, most: u32) -> bool {
        self.shares.may_take(block, most.saturating_sub(self.shares.held()))
    }

    /// How long a payer has to wait until its next voucher is taken.
    pub(crate) fn pause_ms(&self, signer: Account, interval_ms: u64, now: Ms) -> u64 {
        let since = self.signed_at.get(&signer).map(|at| now.since(*at));
        since.map_or(0, |since| interval_ms.saturating_sub(since))
    }

    /// Takes the first voucher of a channel that waits.
    pub(crate) fn take_waiting(&mut self, signer: Account, id: ChannelId) -> Option<FirstVoucher> {
        if self.read.get(&signer)?.id == id { self.remove_waiting(signer) } else { None }
    }

    /// Takes a first voucher that waited for the chain for too long. They are few, so they are searched.
    pub(crate) fn take_expired(&mut self, now: Ms) -> Option<FirstVoucher> {
        let signer = self.read.iter().find(|(_, voucher)| voucher.until <= now).map(|(signer, _)| *signer)?;
        self.remove_waiting(signer)
    }

    fn remove_waiting(&mut self, signer: Account) -> Option<FirstVoucher> {
        let removed = self.read.remove(&signer);
        removed.inspect(|removed| self.shares.give_back(removed.block))
    }

    /// When the first of them waited for too long.
    pub(crate) fn next_expiry(&self) -> Option<Ms> {
        self.read.values().map(|voucher| voucher.until).min()
    }
}

impl Ledger {
    /// The channel of a payer.
    pub(crate) fn channel(&self, signer: Account) -> Option<&ChannelRow> {
        self.channels.of(signer)
    }

    /// The channels by payer.
    pub(crate) fn channels(&self) -> impl Iterator<Item = &ChannelRow> {
        self.channels.rows()
    }

    /// Whether a first voucher of a signer waits until its channel was read.
    pub(crate) fn waits_for_channel(&self, signer: Account) -> bool {
        self.channels.waits(signer)
    }

    /// Whether an address block may have another first voucher wait, if `most` may wait in all.
    pub(crate) fn may_wait_for_channel(&self, block: AddressBlock, most: u32) -> bool {
        self.channels.may_wait(block, most)
    }

    /// Has a first voucher wait until its channel was read. None of the same signer waits.
    pub(crate) fn wait_for_channel(&mut self, voucher: FirstVoucher) {
        self.channels.wait(voucher);
    }

    /// Takes the first voucher that waited until this channel was read.
    pub(crate) fn take_first_voucher(&mut self, signer: Account, id: ChannelId) -> Option<FirstVoucher> {
        self.channels.take_waiting(signer, id)
    }

    /// Takes a first voucher that waited for too long.
    pub(crate) fn take_expired_voucher(&mut self, now: Ms) -> Option<FirstVoucher> {
        self.channels.take_expired(now)
    }

    /// When the next first voucher will have waited for too long.
    pub(crate) fn next_voucher_expiry(&self) -> Option<Ms> {
        self.channels.next_expiry()
    }

    /// How long a payer has to wait until its next voucher is taken, in milliseconds.
    pub(crate) fn voucher_pause_ms(&self, signer: Account, interval_ms: u64, now: Ms) -> u64 {
        self.channels.pause_ms(signer, interval_ms, now)
    }

    /// Begins a channel, whose payer is its signer, with its first voucher.
    pub(crate) fn begin_channel(&mut self, output: &mut Output, voucher: &FirstVoucher, state: ChannelReading) {
        let FirstVoucher { config, signed, signature, .. } = *voucher;
        let metered_before = self.payer(config.payer_authorizer).metered;
        let claimed = state.claimed;
        let row = ChannelRow {
            config,
            signed,
            signature,
            state,
            read: output.now,
            metered_before,
            claimed_before: claimed,
            claimed,
        };
        self.set_channel(output, row);
    }

    /// Takes a newer voucher of a channel.
    pub(crate) fn sign_channel(
        &mut self,
        output: &mut Output,
        signer: Account,
        signed: Amount,
        by: TypedDataSignature,
    ) {
        let Some(row) = self.channels.live.get(&signer).copied() else { return };
        self.channels.signed_at.insert(signer, output.now);
        self.set_channel(output, ChannelRow { signed, signature: by, ..row });
    }

    /// Takes what was read of a channel, if it is the payer's. Returns whether the payer can spend more than before.
    pub(crate) fn channel_read(
        &mut self,
        output: &mut Output,
        chain_id: u64,
        (id, signer): (ChannelId, Account),
        news: ChannelNews,
    ) -> bool {
        let Some(row) = self.channels.live.get(&signer).copied().filter(|row| row.config.id(chain_id) == id) else {
            return false;
        };
        let before = self.left(signer, output.now);
        match news {
            ChannelNews::State(state) => {
                self.set_channel(output, ChannelRow { state, read: output.now, ..row });
                if state.withdrawing > Amount::ZERO {
                    self.withdrawal_seen(output.now);
                }
            }
            ChannelNews::Claimed(total) => {
                self.final_claim(signer, id, total);
                self.claimed(output, row, total);
            }
            ChannelNews::Failed => {}
        }
        self.left(signer, output.now) > before
    }

    /// Posts what was claimed since the last time.
    fn claimed(&mut self, output: &mut Output, row: ChannelRow, total: Amount) {
        let payer = row.config.payer_authorizer;
        // The escrow lets nobody claim more than a voucher permits, so a node that reports more is wrong.
        let total = total.min(row.signed);
        let Some(amount) = total.checked_sub(row.claimed).filter(|amount| *amount > Amount::ZERO) else { return };
        // One transaction: what is claimed is no longer a promise.
        let limit = ChannelRow { claimed: total, ..row }.promised();
        if self.post(output, Transaction::Claimed { payer, amount, limit }).is_some() {
            self.keep_channel(output, ChannelRow { claimed: total, ..row });
        }
    }

    fn set_channel(&mut self, output: &mut Output, row: ChannelRow) {
        let payer = row.config.payer_authorizer;
        let (limit, signed) = (row.promised(), row.signed);
        self.keep_channel(output, row);
        if self.payer(payer).limit != limit {
            // It cannot fail: a limit is not added to anything.
            self.post(output, Transaction::Voucher { payer, limit, signed });
        }
    }

    fn keep_channel(&mut self, output: &mut Output, row: ChannelRow) {
        self.channels.live.insert(row.config.payer_authorizer, row);
        output.persist(Row::Channel(Box::new(row)));
    }

    /// Posts what each channel permits its payer to owe, or, without channels, that none permits anything.
    pub(crate) fn apply_vouchers(&mut self, output: &mut Output, channels_count: bool) {
        let rows: Vec<ChannelRow> = self.channels.live.values().copied().collect();
        for row in rows {
            let (payer, signed) = (row.config.payer_authorizer, row.signed);
            let limit = if channels_count { row.promised() } else { Amount::ZERO };
            if self.payer(payer).limit != limit {
                self.post(output, Transaction::Voucher { payer, limit, signed });
            }
        }
    }

    /// What a payer's channel owes in all: what was claimed when the pool accepted it, and what was metered since, with the
    /// running leases.
    pub(crate) fn owed_on(&self, row: &ChannelRow, now: Ms) -> Amount {
        let payer = row.config.payer_authorizer;
        let posted = self.payer(payer).metered.checked_sub(row.metered_before).unwrap_or_default();
        let owed = row.claimed_before.checked_add(posted).unwrap_or(Amount::MAX);
        owed.checked_add(self.running_cost(payer, now)).unwrap_or(Amount::MAX)
    }

    /// What can be claimed now, by payer from one on: of each channel whose finished billing periods cost more than was claimed.
    pub(crate) fn claims(&self, after: Option<Account>, most: usize) -> Vec<VoucherClaim> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let rows = self.channels.live.range((from, Bound::Unbounded));
        let claims = rows.filter_map(|(_, row)| {
            let total_claimed = self.claimable(row)?;
            Some(VoucherClaim {
                channel: row.config,
                max_claimable: row.signed,
                signature: row.signature,
                total_claimed,
            })
        });
        claims.take(most).collect()
    }

    /// The total that can be claimed of a channel: what its finished billing periods cost, at most what is signed and deposited. `None`
    /// if no more than that was claimed.
    pub(crate) fn claimable(&self, row: &ChannelRow) -> Option<Amount> {
        let posted = self.payer(row.config.payer_authorizer).metered.checked_sub(row.metered_before)?;
        let owed = row.claimed_before.checked_add(posted)?;
        let total = owed.min(row.signed).min(row.state.deposited);
        (total > row.claimed.max(row.state.claimed)).then_some(total)
    }

    /// A payer's channel, for its agent.
    pub(crate) fn channel_funds(&self, signer: Account, chain_id: u64, now: Ms) -> Option<ChannelFunds> {
        const HOUR_MS: u64 = 60 * 60 * 1_000;
        let row = self.channels.of(signer)?;
        let rate = self.burn_rate(signer);
        let hourly = if rate == BurnRate::default() { Amount::ZERO } else { rate.least_for(HOUR_MS) };
        Some(ChannelFunds {
            id: row.config.id(chain_id),
            signed: row.signed,
            signature: row.signature,
            deposited: row.state.deposited,
            withdrawing: row.state.withdrawing,
            claimed: row.claimed,
            metered: self.owed_on(row, now),
            hourly,
            read_ms: row.read,
        })
    }

    /// What a payer could still spend if its agent signed for its whole deposit; what it can spend if it has no channel.
    pub(crate) fn deposit_left(&self, payer: Account, now: Ms) -> Amount {
        let left = self.left(payer, now);
        let unsigned = self.channels.of(payer).and_then(|row| row.state.covers().checked_sub(row.signed));
        unsigned.and_then(|unsigned| left.checked_add(unsigned)).unwrap_or(left)
    }
}
