//! The transactions of an epoch. One is sent at a time, the next one once a block contains it. Its row is durable before it is sent.

use vipnode_types::payment::VoucherClaim;

use crate::{
    ChainFailure, ChainRequest, ChainTransactionRow, Effect, EpochClaimRow, EpochStep, EscrowCall, GasTerms, Limits,
    Row, RowKey, SimulatedCall, TransactionPurpose,
    ledger::{Ledger, epoch_cut::gas_cap, epochs::AwaitedRequest},
    output::Output,
};

/// 10^9 wei: limits are in gwei.
const WEI_A_GWEI: u128 = 1_000_000_000;

impl Ledger {
    /// Sends what is left to send, or waits until a block contains what was sent.
    pub(super) fn redeem(&mut self, output: &mut Output, limits: &Limits) {
        self.epochs.act_at = Some(output.now.plus(limits.chain_look_ms));
        if self.resend(output, limits) {
            return;
        }
        if self.epochs.queue.is_none() {
            self.fill_queue(limits);
        }
        self.send_next(output, limits);
    }

    /// Goes on with the next transaction, or confirms what was sent.
    pub(super) fn send_next(&mut self, output: &mut Output, limits: &Limits) {
        while let Some(purpose) = self.epochs.queue.as_mut().and_then(std::collections::VecDeque::pop_front) {
            if let Some(call) = self.call_of(&purpose, limits) {
                let awaited = AwaitedRequest::Simulate(purpose);
                return self.epochs.ask(output, limits, awaited, |ticket| ChainRequest::Simulate { ticket, call });
            }
        }
        self.epochs.queue = None;
        self.epochs.enter(output, EpochStep::Confirm);
        self.epochs.act_at = Some(output.now.plus(limits.chain_look_ms));
    }

    /// Forgets the transactions whose block is final, and counts what they cost.
    pub(super) fn forget_final(&mut self, output: &mut Output) {
        let (final_nonce, cost) = (self.epochs.look.final_nonce, self.epochs.look.cost);
        if let Some((hash, cost_wei)) = cost
            && let Some(row) = self.epochs.transactions.values_mut().find(|row| row.hash == hash)
        {
            row.cost_wei = Some(cost_wei);
            output.persist(Row::ChainTransaction(Box::new(row.clone())));
        }
        while let Some(first) = self.epochs.transactions.first_entry().filter(|first| *first.key() < final_nonce) {
            let (nonce, row) = first.remove_entry();
            let spent_wei = row.spends_wei();
            self.epochs.update(output, |epoch| epoch.spent_wei = epoch.spent_wei.saturating_add(spent_wei));
            output.persist(Row::Delete(RowKey::ChainTransaction(nonce)));
        }
    }

    /// Waits for transactions that no block contains, and sends them again: at once after a start of the pool, and then at intervals.
    /// The first one is then replaced by one with a higher fee, which has the same nonce, so only one of them can count. Returns
    /// false if there are none.
    pub(super) fn resend(&mut self, output: &mut Output, limits: &Limits) -> bool {
        let waiting = self.epochs.transactions.range(self.epochs.look.nonce..).map(|(_, row)| row.clone());
        let waiting: Vec<ChainTransactionRow> = waiting.collect();
        let Some(first) = waiting.first() else { return false };
        let is_due = |sent: vipnode_types::Ms| sent.plus(limits.send_again_ms) <= output.now;
        if self.epochs.sent_at.is_some_and(|sent| !is_due(sent)) {
            return true;
        }
        let is_late = is_due(first.signed) && self.epochs.sent_at.is_some();
        self.epochs.sent_at = Some(output.now);
        for ChainTransactionRow { hash, raw, .. } in &waiting {
            output.push(Effect::Chain(ChainRequest::Send { hash: *hash, raw: raw.clone() }));
        }
        if is_late && first.bumps < limits.fee_bumps {
            self.bump(output, limits, first);
        }
        true
    }

    /// Replaces a transaction by one that pays an eighth more, which is the least that nodes accept.
    fn bump(&mut self, output: &mut Output, limits: &Limits, row: &ChainTransactionRow) {
        let more = |wei: u128| wei.saturating_add(wei.div_ceil(8).max(1));
        let GasTerms { gas, priority_fee_wei, max_fee_wei } = row.gas;
        let higher = GasTerms { gas, priority_fee_wei: more(priority_fee_wei), max_fee_wei: more(max_fee_wei) };
        let extra = higher.most_wei().saturating_sub(row.gas.most_wei());
        if let Some(problem) = self.too_costly(limits, higher, extra) {
            return self.epochs.report(output, Some(problem));
        }
        let Some(call) = self.call_of(&row.purpose, limits) else { return };
        let bumps = row.bumps.saturating_add(1);
        self.sign(output, limits, (row.purpose.clone(), call), (higher, row.nonce, bumps));
    }

    /// A call was simulated, as a transaction of the epoch.
    pub(super) fn simulated(
        &mut self,
        output: &mut Output,
        limits: &Limits,
        purpose: TransactionPurpose,
        result: Result<SimulatedCall, ChainFailure>,
    ) {
        let cap = gas_cap(&purpose);
        let simulated = match result {
            Ok(simulated) if simulated.gas > cap => {
                return self.refuse(output, limits, purpose, format!("it uses {} gas, more than {cap}", simulated.gas));
            }
            Ok(simulated) => simulated,
            Err(ChainFailure::Reverted(why)) => return self.refuse(output, limits, purpose, why),
            Err(ChainFailure::Unavailable(why)) => return self.retry_later(output, limits, purpose, why),
        };
        let SimulatedCall { gas, priority_fee_wei, max_fee_wei } = simulated;
        // The state may change before it is mined.
        let gas = gas.saturating_add(gas.div_ceil(5)).min(cap);
        let terms = GasTerms { gas, priority_fee_wei, max_fee_wei };
        if let Some(problem) = self.too_costly(limits, terms, terms.most_wei()) {
            return self.retry_later(output, limits, purpose, problem);
        }
        let Some(call) = self.call_of(&purpose, limits) else { return self.send_next(output, limits) };
        let nonce = self.epochs.look.next_nonce.max(self.epochs.look.nonce);
        self.sign(output, limits, (purpose, call), (terms, nonce, 0));
    }

    /// The contract refuses a transaction. Its claims are tried in halves until the one is found that is not valid, which is set aside.
    fn refuse(&mut self, output: &mut Output, limits: &Limits, purpose: TransactionPurpose, why: String) {
        match purpose {
            TransactionPurpose::Claim(signers) => match (&*signers, self.epochs.queue.as_mut()) {
                ([signer], _) => self.epochs.set_aside(output, *signer, why),
                (signers, Some(queue)) => {
                    let (first, second) = signers.split_at(signers.len().div_ceil(2));
                    queue.push_front(TransactionPurpose::Claim(second.to_vec()));
                    queue.push_front(TransactionPurpose::Claim(first.to_vec()));
                }
                _ => {}
            },
            // What is claimed stays in the escrow, and the check of the total finds it missing.
            TransactionPurpose::Settle => self.epochs.report(output, Some(format!("the transfer is refused: {why}"))),
        }
        self.send_next(output, limits);
    }

    fn retry_later(&mut self, output: &mut Output, limits: &Limits, purpose: TransactionPurpose, why: String) {
        if let Some(queue) = &mut self.epochs.queue {
            queue.push_front(purpose);
        }
        self.epochs.report(output, Some(why));
        self.epochs.act_at = Some(output.now.plus(limits.chain_look_ms));
    }

    /// The limit of what gas costs that a transaction would exceed.
    fn too_costly(&self, limits: &Limits, gas: GasTerms, more_wei: u128) -> Option<String> {
        let (most_gwei, spent_wei) = (limits.gas_price_gwei, self.epochs.row.as_ref().map_or(0, |row| row.spent_wei));
        if gas.max_fee_wei > u128::from(most_gwei).saturating_mul(WEI_A_GWEI) {
            return Some(format!("a unit of gas may cost more than {most_gwei} gwei (limit gas_price_gwei)"));
        }
        let most_gwei = limits.epoch_gas_gwei;
        let all_wei = spent_wei.saturating_add(self.epochs.reserved_wei()).saturating_add(more_wei);
        if all_wei > u128::from(most_gwei).saturating_mul(WEI_A_GWEI) {
            return Some(format!("the epoch's gas may cost more than {most_gwei} gwei (limit epoch_gas_gwei)"));
        }
        None
    }

    fn sign(
        &mut self,
        output: &mut Output,
        limits: &Limits,
        (purpose, call): (TransactionPurpose, EscrowCall),
        (gas, nonce, bumps): (GasTerms, u64, u32),
    ) {
        let awaited = AwaitedRequest::Sign(purpose, gas, nonce, bumps);
        self.epochs.ask(output, limits, awaited, |ticket| ChainRequest::Sign { ticket, call, nonce, gas });
    }

    /// A transaction was signed: it is written, and then sent.
    pub(super) fn signed(&mut self, output: &mut Output, limits: &Limits, row: ChainTransactionRow) {
        if row.bumps == 0 {
            for signer in row.purpose.signers() {
                if let Some(claim) = self.epochs.claims.get(signer).cloned() {
                    let attempts = claim.attempts.saturating_add(1);
                    self.epochs.keep_claim(output, EpochClaimRow { attempts, ..claim });
                }
            }
        }
        self.epochs.report(output, None);
        output.persist(Row::ChainTransaction(Box::new(row.clone())));
        output.push(Effect::Chain(ChainRequest::Send { hash: row.hash, raw: row.raw.clone() }));
        self.epochs.transactions.insert(row.nonce, row);
        self.epochs.sent_at = Some(output.now);
        self.epochs.act_at = Some(output.now.plus(limits.chain_look_ms));
    }

    /// The call of a transaction; `None` if nothing is left to claim.
    fn call_of(&self, purpose: &TransactionPurpose, limits: &Limits) -> Option<EscrowCall> {
        let terms = limits.channel?;
        let signers = match purpose {
            TransactionPurpose::Settle => {
                return Some(EscrowCall::Settle { receiver: terms.receiver, token: terms.token });
            }
            TransactionPurpose::Claim(signers) => signers,
        };
        let claims = signers.iter().filter_map(|signer| {
            let (claim, row) = (self.epochs.claims.get(signer)?, self.channel(*signer)?);
            (row.config.id(terms.chain_id) == claim.channel).then_some(VoucherClaim {
                channel: row.config,
                max_claimable: row.signed,
                signature: row.signature,
                total_claimed: claim.target,
            })
        });
        let claims: Vec<VoucherClaim> = claims.collect();
        (!claims.is_empty()).then_some(EscrowCall::Claim(claims))
    }
}
