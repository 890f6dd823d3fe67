use std::collections::{BTreeMap, BTreeSet, VecDeque};

use vipnode_types::{
    Account, Amount, Ms,
    payment::{ChannelConfig, ChannelId, ChannelTerms},
};

use crate::{
    ChainLook, ChainRequest, ChainTransactionRow, ChannelRow, Effect, EpochClaimRow, EpochRow, EpochStep, EpochTerms,
    EpochView, GasTerms, Limits, Row, RowKey, TransactionPurpose, ledger::Ledger, output::Output,
};

/// What the pool claims on its own: the newest epoch, its rows, and the transactions whose block is not final.
///
/// Each step is written before the next begins, and can be entered again: claims are cumulative, and what is confirmed is read from the
/// chain. The fields after `transactions` are not stored. After a start they are built again from the rows and the chain.
#[derive(Debug, Default)]
pub(crate) struct Epochs {
    pub(super) row: Option<EpochRow>,
    /// By payer authorizer.
    pub(super) claims: BTreeMap<Account, EpochClaimRow>,
    /// By nonce.
    pub(super) transactions: BTreeMap<u64, ChainTransactionRow>,
    /// What the newest final block has of each channel of a claim.
    pub(super) final_totals: BTreeMap<Account, Amount>,
    /// What is left to send in this epoch; `None` until it was put together.
    pub(super) queue: Option<VecDeque<TransactionPurpose>>,
    /// The newest answer about the chain.
    pub(super) look: ChainLook,
    /// The request that is not answered.
    pub(super) awaited: Option<AwaitedAnswer>,
    /// When to act next; `None` for never.
    pub(super) act_at: Option<Ms>,
    /// When transactions were last sent, since the pool started.
    pub(super) sent_at: Option<Ms>,
    /// Whether the channels of claims that are not confirmed were read again.
    pub(super) is_read_again: bool,
    /// Until then, no epoch begins because of a withdrawal: the newest one could not claim it.
    pub(super) withdrawals_from: Ms,
    last_ticket: u64,
}

/// A request to the chain that is not answered.
#[derive(Debug)]
pub(super) struct AwaitedAnswer {
    ticket: u64,
    /// How long it is waited for.
    pub(super) until: Ms,
    pub(super) request: AwaitedRequest,
}

/// What was asked of the chain.
#[derive(Debug)]
pub(super) enum AwaitedRequest {
    Look,
    Simulate(TransactionPurpose),
    /// The nonce, and how often an earlier transaction with this nonce was replaced.
    Sign(TransactionPurpose, GasTerms, u64, u32),
}

impl Epochs {
    pub(super) fn step(&self) -> EpochStep {
        self.row.as_ref().map_or(EpochStep::Open, |row| row.step)
    }

    pub(super) fn restore(&mut self, row: Row) {
        match row {
            Row::Epoch(row) => self.row = Some(*row),
            Row::EpochClaim(row) => {
                self.claims.insert(row.signer, *row);
            }
            Row::ChainTransaction(row) => {
                self.transactions.insert(row.nonce, *row);
            }
            Row::Delete(RowKey::EpochClaim(signer)) => {
                self.claims.remove(&signer);
            }
            Row::Delete(RowKey::ChainTransaction(nonce)) => {
                self.transactions.remove(&nonce);
            }
            _ => {}
        }
    }

    /// The rows that a store holds: the newest epoch, its claims by payer authorizer, and the transactions by nonce.
    pub(super) fn rows(&self) -> impl Iterator<Item = Row> {
        let epoch = self.row.iter().map(|row| Row::Epoch(Box::new(row.clone())));
        let claims = self.claims.values().map(|row| Row::EpochClaim(Box::new(row.clone())));
        let transactions = self.transactions.values().map(|row| Row::ChainTransaction(Box::new(row.clone())));
        epoch.chain(claims).chain(transactions)
    }

    /// Changes the row of the epoch, and writes it if that makes a difference.
    pub(super) fn update(&mut self, output: &mut Output, change: impl FnOnce(&mut EpochRow)) {
        let mut row = self.row.clone().unwrap_or_default();
        change(&mut row);
        if self.row.as_ref() != Some(&row) {
            output.persist(Row::Epoch(Box::new(row.clone())));
            self.row = Some(row);
        }
    }

    /// Begins a step.
    pub(super) fn enter(&mut self, output: &mut Output, step: EpochStep) {
        let now = output.now;
        self.update(output, |row| (row.step, row.since, row.problem) = (step, now, None));
        self.is_read_again = false;
        self.act_at = Some(now);
    }

    /// Notes what the epoch waits for; `None` if all is well.
    pub(super) fn report(&mut self, output: &mut Output, problem: Option<String>) {
        self.update(output, |row| row.problem = problem);
    }

    /// Writes a claim of the epoch.
    pub(super) fn keep_claim(&mut self, output: &mut Output, row: EpochClaimRow) {
        output.persist(Row::EpochClaim(Box::new(row.clone())));
        self.claims.insert(row.signer, row);
    }

    /// Removes a claim from the epoch.
    pub(super) fn drop_claim(&mut self, output: &mut Output, signer: Account) {
        self.final_totals.remove(&signer);
        if self.claims.remove(&signer).is_some() {
            output.persist(Row::Delete(RowKey::EpochClaim(signer)));
        }
    }

    /// Ends the epoch without a claim, which blocks no other one.
    pub(super) fn set_aside(&mut self, output: &mut Output, signer: Account, why: String) {
        if let Some(row) = self.claims.get(&signer).cloned() {
            self.keep_claim(output, EpochClaimRow { set_aside: Some(why), ..row });
        }
    }

    /// Asks the chain, and waits for the answer for at most `chain_answer_ms`.
    pub(super) fn ask(
        &mut self,
        output: &mut Output,
        limits: &Limits,
        awaited: AwaitedRequest,
        request: impl FnOnce(u64) -> ChainRequest,
    ) {
        // Also larger than those of an earlier core: pool time does not run backward.
        let ticket = self.last_ticket.saturating_add(1).max(output.now.get());
        self.last_ticket = ticket;
        let until = output.now.plus(limits.chain_answer_ms);
        self.awaited = Some(AwaitedAnswer { ticket, until, request: awaited });
        self.act_at = Some(until);
        output.push(Effect::Chain(request(ticket)));
    }

    /// Takes the request that an answer is to; `None` if nobody waits for it.
    pub(super) fn answered(&mut self, ticket: u64) -> Option<AwaitedRequest> {
        let is_awaited = self.awaited.as_ref().is_some_and(|awaited| awaited.ticket == ticket);
        is_awaited.then(|| self.awaited.take()).flatten().map(|awaited| awaited.request)
    }

    /// The payer authorizers of the channels of transactions whose block is not final.
    pub(super) fn in_flight(&self) -> BTreeSet<Account> {
        self.transactions.values().flat_map(|row| row.purpose.signers().iter().copied()).collect()
    }

    /// What transactions that are not final cost, or can cost, in wei.
    pub(super) fn reserved_wei(&self) -> u128 {
        self.transactions.values().fold(0, |sum, row| sum.saturating_add(row.spends_wei()))
    }
}

/// Whether a channel pays the receiver of now, and the claimer of now can claim from it.
pub(super) fn pays_as_now(row: &ChannelRow, limits: &Limits) -> bool {
    let ChannelConfig { receiver, receiver_authorizer, token, .. } = row.config;
    let is_same = |terms: ChannelTerms| {
        (receiver, receiver_authorizer, token) == (terms.receiver, terms.receiver_authorizer, terms.token)
    };
    limits.channel.is_some_and(is_same)
}

impl Ledger {
    /// When the epoch goes on.
    pub(crate) const fn next_epoch_act(&self) -> Option<Ms> {
        self.epochs.act_at
    }

    /// The newest epoch.
    pub(crate) const fn epoch(&self) -> Option<&EpochRow> {
        self.epochs.row.as_ref()
    }

    /// The epochs, as the operator sees them; `None` before the first start with the key of the claimer.
    pub(crate) fn epoch_view(&self, terms: EpochTerms, limits: &Limits) -> Option<EpochView> {
        /// Set-aside claims that are shown.
        const SHOWN: usize = 100;
        let row = self.epochs.row.clone()?;
        let of_epoch = || self.epochs.claims.values().filter(|claim| claim.set_aside.is_none());
        let amounts = of_epoch().filter_map(|claim| claim.target.checked_sub(claim.claimed_before));
        let set_aside = self.epochs.claims.values().filter(|claim| claim.set_aside.is_some());
        Some(EpochView {
            asset: limits.price.asset(),
            claims: u64::try_from(of_epoch().count()).unwrap_or(u64::MAX),
            claiming: amounts.fold(Amount::ZERO, |sum, amount| sum.checked_add(amount).unwrap_or(Amount::MAX)),
            set_aside: set_aside.take(SHOWN).cloned().collect(),
            transactions: u64::try_from(self.epochs.transactions.len()).unwrap_or(u64::MAX),
            next_cut: terms.next_cut(row.cut),
            plan: self.epoch_plan(limits),
            row,
        })
    }

    /// Has the pool claim on its own from now on, or continue with it.
    pub(crate) fn begin_epochs(&mut self, output: &mut Output, limits: &Limits) {
        if self.epochs.row.is_none() {
            let now = output.now;
            self.epochs.update(output, |row| (row.cut, row.since) = (now, now));
        }
        let rows = self.epochs.claims.keys().filter_map(|signer| self.channel(*signer));
        if self.epochs.step() != EpochStep::Open && !rows.into_iter().all(|row| pays_as_now(row, limits)) {
            self.abandon_epoch(output);
        }
        self.epochs.act_at = Some(output.now);
    }

    /// Ends an epoch of another receiver or claimer. Nothing is lost: what it claimed counts, and a later epoch, or the command with
    /// the earlier key, claims the rest.
    fn abandon_epoch(&mut self, output: &mut Output) {
        let signers: Vec<Account> = self.epochs.claims.keys().copied().collect();
        signers.into_iter().for_each(|signer| self.epochs.drop_claim(output, signer));
        for nonce in std::mem::take(&mut self.epochs.transactions).into_keys() {
            output.persist(Row::Delete(RowKey::ChainTransaction(nonce)));
        }
        self.epochs.enter(output, EpochStep::Open);
        let problem = "the receiver or the claimer changed, so the epoch ended early";
        self.epochs.report(output, Some(problem.to_owned()));
    }

    /// Goes on with an epoch that was halted.
    pub(crate) fn resume_epoch(&mut self, output: &mut Output) {
        self.epochs.update(output, |row| row.settles = 0);
        self.epochs.enter(output, EpochStep::Read);
    }

    /// What the newest final block has of a channel was read.
    pub(super) fn final_claim(&mut self, signer: Account, id: ChannelId, total: Amount) {
        if self.epochs.claims.get(&signer).is_some_and(|claim| claim.channel == id) {
            self.epochs.final_totals.insert(signer, total);
        }
    }

    /// A channel of the payer was read: a withdrawal may have to be preceded by a claim.
    pub(super) fn withdrawal_seen(&mut self, now: Ms) {
        if self.epochs.step() == EpochStep::Open && self.epochs.act_at.is_some() {
            self.epochs.act_at = Some(now);
        }
    }
}
