//! The first steps of an epoch: which claims it makes, and which of them are worth their gas.

use vipnode_types::{Account, Amount, Ms};

use crate::{
    ChainLook, ChannelRow, EpochClaimRow, EpochPlan, EpochStep, EpochTerms, Limits, TransactionPurpose,
    ledger::{
        Ledger,
        epochs::{Epochs, pays_as_now},
    },
    output::Output,
};

/// Gas of a claim in a transaction of several, rounded up.
const GAS_A_ROW: u64 = 30_000;
/// Gas of a transaction besides its claims, rounded up.
const GAS_A_TRANSACTION: u64 = 100_000;
/// So long after an epoch for withdrawals, the next one begins: what it could not claim may not be claimable later
/// either.
const WITHDRAWALS_AGAIN_MS: u64 = 60 * 60 * 1_000;

/// The most gas that a transaction may use.
pub(super) fn gas_cap(purpose: &TransactionPurpose) -> u64 {
    let rows = u64::try_from(purpose.signers().len().max(1)).unwrap_or(u64::MAX);
    GAS_A_ROW.saturating_mul(rows).saturating_add(GAS_A_TRANSACTION)
}

impl Ledger {
    /// Begins an epoch if one is due, or plans when to look again.
    pub(super) fn open(&mut self, output: &mut Output, terms: EpochTerms, limits: &Limits) {
        let now = output.now;
        let cut = self.epochs.row.as_ref().map_or(now, |row| row.cut);
        let regular = terms.next_cut(cut);
        if regular <= now {
            return self.cut(output, limits, false);
        }
        let withdrawal = self.first_withdrawal(limits).map(|due| due.max(self.epochs.withdrawals_from));
        match withdrawal {
            Some(due) if due <= now => {
                self.epochs.withdrawals_from = now.plus(WITHDRAWALS_AGAIN_MS);
                self.cut(output, limits, true);
            }
            _ => self.epochs.act_at = Some(withdrawal.map_or(regular, |due| due.min(regular))),
        }
    }

    /// When the pool has to claim because of a withdrawal: `withdrawal_notice_ms` before it can be finished, if more
    /// was signed than
    /// what it leaves.
    fn first_withdrawal(&self, limits: &Limits) -> Option<Ms> {
        self.channels().filter(|row| self.is_exposed(row, limits)).map(|row| withdrawal_due(row, limits)).min()
    }

    /// Whether a withdrawal takes a part of what a channel signed for and owes.
    fn is_exposed(&self, row: &ChannelRow, limits: &Limits) -> bool {
        let takes = row.state.withdrawing > Amount::ZERO && row.signed > row.state.covers();
        takes && pays_as_now(row, limits) && self.claimable(row).is_some()
    }

    /// Chooses the claims of an epoch, the most valuable first: what was posted by now. The rest is claimed in the next
    /// one.
    pub(crate) fn cut(&mut self, output: &mut Output, limits: &Limits, withdrawals_only: bool) {
        let (now, chain_id) = (output.now, limits.chain_id());
        let is_meant =
            |row: &ChannelRow| !withdrawals_only || self.is_exposed(row, limits) && withdrawal_due(row, limits) <= now;
        let mut rows: Vec<ValuedClaim> = self.valued_claims(limits, is_meant);
        rows.sort_unstable_by_key(|claim| (std::cmp::Reverse(claim.worth), claim.row.config.payer_authorizer));
        rows.truncate(usize::try_from(limits.epoch_rows).unwrap_or(usize::MAX));
        if rows.is_empty() && withdrawals_only {
            self.epochs.act_at = Some(now.plus(limits.chain_look_ms));
            return;
        }
        let earlier: Vec<Account> = self.epochs.claims.keys().copied().collect();
        earlier.into_iter().for_each(|signer| self.epochs.drop_claim(output, signer));
        let step = if rows.is_empty() { EpochStep::Settle } else { EpochStep::Read };
        self.epochs.update(output, |row| {
            (row.step, row.since, row.problem) = (step, now, None);
            row.number = row.number.saturating_add(1);
            row.cut = if withdrawals_only { row.cut } else { now };
            (row.withdrawals_only, row.settled_before, row.settles) = (withdrawals_only, None, 0);
            row.unattributed = Amount::ZERO;
            row.spent_before_wei = row.spent_before_wei.saturating_add(std::mem::take(&mut row.spent_wei));
        });
        for ValuedClaim { row: ChannelRow { config, claimed: claimed_before, .. }, target, .. } in rows {
            let (signer, channel) = (config.payer_authorizer, config.id(chain_id));
            let row = EpochClaimRow { signer, channel, target, claimed_before, attempts: 0, set_aside: None };
            self.epochs.keep_claim(output, row);
        }
        self.epochs.act_at = Some(now);
    }

    /// What can be claimed now from some channels. Those of an earlier receiver or claimer are left to the command.
    fn valued_claims(&self, limits: &Limits, is_meant: impl Fn(&ChannelRow) -> bool) -> Vec<ValuedClaim> {
        let rows = self.channels().filter(|row| pays_as_now(row, limits) && is_meant(row));
        let claims = rows.filter_map(|row| {
            let target = self.claimable(row)?;
            let worth = target.checked_sub(row.claimed.max(row.state.claimed)).unwrap_or_default();
            Some(ValuedClaim { worth, target, row: *row })
        });
        claims.collect()
    }

    /// What an epoch would claim if it began now.
    pub(crate) fn epoch_plan(&self, limits: &Limits) -> EpochPlan {
        let all = self.valued_claims(limits, |_| true);
        let claims = u64::try_from(all.len()).unwrap_or(u64::MAX);
        let amount = all.iter().fold(Amount::ZERO, |sum, claim| sum.checked_add(claim.worth).unwrap_or(Amount::MAX));
        let transactions = claims.div_ceil(limits.claim_rows.max(1).into()).saturating_add(u64::from(claims > 0));
        let gas = GAS_A_ROW.saturating_mul(claims).saturating_add(GAS_A_TRANSACTION.saturating_mul(transactions));
        EpochPlan { claims, amount, gas, fee_wei: self.epochs.look.fee_wei }
    }

    /// Compares the claims with the chain. What is not worth its gas stays for a later epoch.
    pub(super) fn read(&mut self, output: &mut Output, (terms, limits): (EpochTerms, &Limits), look: &ChainLook) {
        let chain_id = limits.chain_id();
        let is_first = self.epochs.row.as_ref().is_some_and(|row| row.settled_before.is_none());
        let cost = terms.worth(look.fee_wei.saturating_mul(GAS_A_ROW.into()));
        let claims: Vec<EpochClaimRow> = self.epochs.claims.values().cloned().collect();
        for claim in claims.into_iter().filter(|claim| claim.set_aside.is_none()) {
            let Some(row) = self.channel(claim.signer).copied().filter(|row| row.config.id(chain_id) == claim.channel)
            else {
                // Another channel of the signer counts, so this one is settled.
                self.epochs.drop_claim(output, claim.signer);
                continue;
            };
            let worth = claim.target.checked_sub(row.state.claimed.max(row.claimed)).unwrap_or_default();
            let times = if row.state.withdrawing > Amount::ZERO { limits.withdrawal_worth } else { limits.claim_worth };
            let least = cost.get().saturating_mul(times.into());
            // What is claimed already is still confirmed.
            if worth > Amount::ZERO && worth.get() < least {
                self.epochs.drop_claim(output, claim.signer);
            } else if is_first && claim.claimed_before != row.claimed {
                self.epochs.keep_claim(output, EpochClaimRow { claimed_before: row.claimed, ..claim });
            }
        }
        if is_first {
            self.epochs.update(output, |row| row.settled_before = Some(look.settled));
        }
        self.epochs.queue = None;
        self.epochs.enter(output, EpochStep::Redeem);
        self.redeem(output, limits);
    }

    /// Puts together what an epoch sends: claims of channels with a withdrawal apart from the others, then the
    /// transfer. What a
    /// transaction did not achieve before is alone in its next one, so that no other claim fails with it again.
    pub(super) fn fill_queue(&mut self, limits: &Limits) {
        let (chain_id, in_flight) = (limits.chain_id(), self.epochs.in_flight());
        let (mut again, mut withdrawing, mut others) = (Vec::new(), Vec::new(), Vec::new());
        for claim in self.epochs.claims.values() {
            let row = self.channel(claim.signer).filter(|row| row.config.id(chain_id) == claim.channel);
            let Some(row) = row else { continue };
            let is_open = claim.set_aside.is_none() && !in_flight.contains(&claim.signer);
            if is_open && row.state.claimed < claim.target {
                let list = match claim.attempts {
                    0 if row.state.withdrawing > Amount::ZERO => &mut withdrawing,
                    0 => &mut others,
                    _ => &mut again,
                };
                list.push(claim.signer);
            }
        }
        let most = usize::try_from(limits.claim_rows.max(1)).unwrap_or(usize::MAX);
        let claims = [(withdrawing, most), (others, most), (again, 1)];
        let claims = claims.iter().flat_map(|(list, most)| list.chunks(*most));
        let claims = claims.map(|signers| TransactionPurpose::Claim(signers.to_vec()));
        let mut queue: std::collections::VecDeque<TransactionPurpose> = claims.collect();
        let Epochs { transactions, look, .. } = &self.epochs;
        let settles = transactions.values().any(|row| row.purpose == TransactionPurpose::Settle);
        if !queue.is_empty() || !settles && (!transactions.is_empty() || look.claimed > look.settled) {
            queue.push_back(TransactionPurpose::Settle);
        }
        self.epochs.queue = Some(queue);
    }
}

/// What can be claimed from a channel.
struct ValuedClaim {
    /// How much more than was claimed.
    worth: Amount,
    /// The total that the channel owes.
    target: Amount,
    row: ChannelRow,
}

/// When the pool has to claim because of a channel's withdrawal.
fn withdrawal_due(row: &ChannelRow, limits: &Limits) -> Ms {
    Ms::new(row.state.withdrawable_s.saturating_mul(1_000)).minus(limits.withdrawal_notice_ms)
}
