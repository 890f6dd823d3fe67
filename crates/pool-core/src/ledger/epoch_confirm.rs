//! The last steps of an epoch: whether the claims are final, whether they arrived, and the payouts.

use vipnode_types::{Account, Amount};

use crate::{
    ChainAnswer, ChainFailure, ChainRequest, ChainTransactionRow, Effect, EpochClaimRow, EpochStep, EpochTerms, Limits,
    OperatorOrder, Transaction, TransactionPurpose,
    ledger::{
        Ledger,
        epochs::{AwaitedAnswer, AwaitedRequest},
    },
    output::Output,
};

impl Ledger {
    /// Goes on with the epoch if that is due. Returns false if it is not.
    pub(crate) fn epoch_due(&mut self, output: &mut Output, terms: EpochTerms, limits: &Limits) -> bool {
        if self.epochs.act_at.is_none_or(|at| at > output.now) {
            return false;
        }
        if let Some(until) =
            self.epochs.awaited.as_ref().map(|awaited| awaited.until).filter(|until| *until > output.now)
        {
            self.epochs.act_at = Some(until);
            return true;
        }
        self.epochs.act_at = Some(output.now.plus(limits.chain_look_ms));
        if let Some(AwaitedAnswer { request, .. }) = self.epochs.awaited.take() {
            // What was not signed is tried again; what was not written was not sent.
            if let (AwaitedRequest::Simulate(purpose) | AwaitedRequest::Sign(purpose, _, _, 0), Some(queue)) =
                (request, &mut self.epochs.queue)
            {
                queue.push_front(purpose);
            }
            self.epochs.report(output, Some("the EVM node did not answer in time".to_owned()));
            return true;
        }
        match self.epochs.step() {
            EpochStep::Open => self.open(output, terms, limits),
            EpochStep::Read | EpochStep::Redeem | EpochStep::Confirm => self.look(output, limits),
            EpochStep::Settle => self.list_payouts(output, limits),
            EpochStep::Halted => self.epochs.act_at = None,
        }
        true
    }

    fn look(&mut self, output: &mut Output, limits: &Limits) {
        // One at a time: the others follow with the next looks.
        let unknown = self.epochs.transactions.values().find(|row| row.cost_wei.is_none());
        let transaction = unknown.map(|row| row.hash);
        self.epochs.ask(output, limits, AwaitedRequest::Look, |ticket| ChainRequest::Look { ticket, transaction });
    }

    /// Takes an answer of the chain to the epoch.
    pub(crate) fn chain_answered(
        &mut self,
        output: &mut Output,
        (terms, limits): (EpochTerms, &Limits),
        answer: ChainAnswer,
    ) {
        let later = output.now.plus(limits.chain_look_ms);
        match answer {
            ChainAnswer::NotSent { hash, why } => {
                if self.epochs.transactions.values().any(|row| row.hash == hash) {
                    self.epochs.report(output, Some(format!("the EVM node did not take a transaction: {why}")));
                }
            }
            ChainAnswer::Looked { ticket, result } => {
                let Some(AwaitedRequest::Look) = self.epochs.answered(ticket) else { return };
                self.epochs.act_at = Some(later);
                match result {
                    Ok(look) => {
                        self.epochs.look = look;
                        self.looked(output, terms, limits);
                    }
                    Err(ChainFailure::Reverted(why) | ChainFailure::Unavailable(why)) => {
                        self.epochs.report(output, Some(why));
                    }
                }
            }
            ChainAnswer::Simulated { ticket, result } => {
                let Some(AwaitedRequest::Simulate(purpose)) = self.epochs.answered(ticket) else { return };
                self.epochs.act_at = Some(later);
                self.simulated(output, limits, purpose, result);
            }
            ChainAnswer::Signed { ticket, hash, raw } => {
                let awaited = self.epochs.answered(ticket);
                let Some(AwaitedRequest::Sign(purpose, gas, nonce, bumps)) = awaited else { return };
                let signed = output.now;
                self.signed(
                    output,
                    limits,
                    ChainTransactionRow { nonce, purpose, gas, hash, raw, bumps, signed, cost_wei: None },
                );
            }
        }
    }

    fn looked(&mut self, output: &mut Output, terms: EpochTerms, limits: &Limits) {
        self.forget_final(output);
        match self.epochs.step() {
            EpochStep::Read => {
                let look = self.epochs.look.clone();
                self.read(output, (terms, limits), &look);
            }
            EpochStep::Redeem => self.redeem(output, limits),
            EpochStep::Confirm => {
                self.epochs.report(output, None);
                self.confirm(output, limits);
            }
            EpochStep::Open | EpochStep::Settle | EpochStep::Halted => {}
        }
    }

    /// Whether the newest final block has a claim.
    fn is_confirmed(&self, claim: &EpochClaimRow, limits: &Limits) -> bool {
        let row = self.channel(claim.signer).filter(|row| row.config.id(limits.chain_id()) == claim.channel);
        // Another channel of the signer counts only after this one is settled.
        let Some(row) = row else { return true };
        let total = self.epochs.final_totals.get(&claim.signer).copied().unwrap_or(row.claimed);
        total >= claim.target
    }

    /// The claims of the epoch that are not set aside and that the newest final block does not have.
    fn unconfirmed(&self, limits: &Limits) -> Vec<EpochClaimRow> {
        let claims = self.epochs.claims.values().filter(|claim| claim.set_aside.is_none());
        claims.filter(|claim| !self.is_confirmed(claim, limits)).cloned().collect()
    }

    /// Waits until all transactions are final, and compares the claims with the chain. What counts is the total of each channel, and not
    /// whether a transaction succeeded.
    fn confirm(&mut self, output: &mut Output, limits: &Limits) {
        // A reorganization may have removed one from its block.
        if self.resend(output, limits) || !self.epochs.transactions.is_empty() {
            return;
        }
        let missing = self.unconfirmed(limits);
        let newest = |claim: &EpochClaimRow| self.channel(claim.signer).map_or(Amount::ZERO, |row| row.state.claimed);
        let lost: Vec<&EpochClaimRow> = missing.iter().filter(|claim| newest(claim) < claim.target).collect();
        if missing.is_empty() {
            return self.compare_settled(output, limits);
        }
        // Events can be missed: before anything is sent again, the channels are read.
        if !std::mem::replace(&mut self.epochs.is_read_again, true) {
            for row in missing.iter().filter_map(|claim| self.channel(claim.signer)) {
                output.push(Effect::Chain(ChainRequest::Watch { config: Box::new(row.config), block: None }));
            }
            self.epochs.act_at = Some(output.now);
            return;
        }
        // Others were claimed by another transaction, whose block is not final.
        if lost.is_empty() {
            return;
        }
        let given_up = lost.iter().filter(|claim| claim.attempts >= limits.claim_attempts);
        let given_up: Vec<Account> = given_up.map(|claim| claim.signer).collect();
        for signer in given_up {
            let why = format!("{} transactions claimed it, and the chain does not show it", limits.claim_attempts);
            self.epochs.set_aside(output, signer, why);
        }
        self.epochs.enter(output, EpochStep::Read);
    }

    /// Compares what reached the receiver with what was claimed for it. More is not a fault: anyone can transfer what others claimed.
    fn compare_settled(&mut self, output: &mut Output, limits: &Limits) {
        let Some(row) = self.epochs.row.clone() else { return };
        let claims = self.epochs.claims.values().filter(|claim| claim.set_aside.is_none());
        let claimed = claims.filter_map(|claim| claim.target.checked_sub(claim.claimed_before));
        let before = row.settled_before.unwrap_or_default();
        let expected = claimed.fold(before, |sum, amount| sum.checked_add(amount).unwrap_or(Amount::MAX));
        let (claimed, settled) = (self.epochs.look.claimed, self.epochs.look.settled);
        if let Some(unattributed) = settled.checked_sub(expected) {
            self.epochs.update(output, |row| row.unattributed = unattributed);
            return self.epochs.enter(output, EpochStep::Settle);
        }
        if claimed > settled && row.settles < limits.claim_attempts {
            self.epochs.update(output, |row| row.settles = row.settles.saturating_add(1));
            self.epochs.enter(output, EpochStep::Redeem);
            self.epochs.queue = Some(std::iter::once(TransactionPurpose::Settle).collect());
            return;
        }
        self.epochs.enter(output, EpochStep::Halted);
        let missing = expected.checked_sub(settled).unwrap_or_default().get();
        let problem = format!("the receiver got {missing} smallest units less than was claimed for it");
        self.epochs.report(output, Some(problem));
    }

    /// Lists the payouts, once the claims are shared among the hosts, and ends the epoch. Payouts of the period before that are not
    /// marked do not delay the next epoch: what is payable stays payable.
    fn list_payouts(&mut self, output: &mut Output, limits: &Limits) {
        if !self.unconfirmed(limits).is_empty() {
            return self.epochs.enter(output, EpochStep::Read);
        }
        if !self.collecting.is_empty() {
            return;
        }
        let withdrawals_only = self.epochs.row.as_ref().is_some_and(|row| row.withdrawals_only);
        let payable = self.payable(Amount::new(limits.smallest_payout.into()));
        let mut problem = None;
        if !withdrawals_only && !payable.is_empty() {
            let unmarked = self.unmarked_payouts();
            let number = self.epochs.row.as_ref().map_or(0, |row| row.number);
            let order = OperatorOrder { by: None, reason: format!("epoch {number}"), key: None };
            let transaction = Transaction::Period { period: self.next_settlement_period(), order };
            if unmarked > 0 {
                let unmarked = format!("the previous period has unmarked payouts ({unmarked})");
                problem = Some(format!("{unmarked}, so no period was closed"));
            } else if self.post(output, transaction).is_some() {
                self.close_period(output, output.now, payable.into_iter());
            }
        }
        let done = self.epochs.claims.values().filter(|claim| claim.set_aside.is_none());
        let done: Vec<Account> = done.map(|claim| claim.signer).collect();
        done.into_iter().for_each(|signer| self.epochs.drop_claim(output, signer));
        let now = output.now;
        self.epochs.enter(output, EpochStep::Open);
        self.epochs.update(output, |row| (row.finished, row.problem) = (Some(now), problem));
    }
}
