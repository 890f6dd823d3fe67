use std::sync::Arc;

use vipnode_chain::{BlockTag, ChainError, Eip1559, Escrow, EvmNodes, GasFees, GasPlan, escrow_calls};
use vipnode_pool_core::{ChainAnswer, ChainFailure, ChainLook, ChainRequest, EscrowCall, SimulatedCall};
use vipnode_types::{Account, AccountKey, Hash256, payment::ChannelTerms, sanitize};

use super::heads::Heads;

/// Carries out what the core orders for its claims: it reads, simulates, signs, and sends. What is sent, and when, the core decides.
#[derive(Debug)]
pub(super) struct ClaimSender {
    key: Arc<AccountKey>,
    account: Account,
    terms: ChannelTerms,
}

/// Characters of a node's or a contract's reason that are kept.
const WHY_CHARS: usize = 200;

impl ClaimSender {
    pub(super) fn new(key: Arc<AccountKey>, terms: ChannelTerms) -> Self {
        let account = key.account();
        Self { key, account, terms }
    }

    /// Reads what an epoch needs to know, as of these blocks.
    pub(super) async fn look(
        &self,
        node: &EvmNodes,
        heads: Heads,
        transaction: Option<Hash256>,
    ) -> Result<ChainLook, ChainError> {
        let ChannelTerms { chain_id, receiver, token, .. } = self.terms;
        let nonce = node.transaction_count(self.account, BlockTag::Number(heads.latest)).await?;
        let next_nonce = node.next_nonce(self.account).await?;
        let final_nonce = node.transaction_count(self.account, heads.final_tag).await?;
        let totals = Escrow::opened(node, chain_id).receiver(receiver, token, heads.final_tag).await?;
        let fees = GasFees::read(node).await?;
        let cost = match transaction {
            Some(hash) => node.receipt(hash).await?.and_then(|receipt| Some((hash, receipt.cost_wei()?))),
            None => None,
        };
        Ok(ChainLook {
            nonce,
            next_nonce: next_nonce.max(nonce),
            final_nonce: final_nonce.min(nonce),
            claimed: totals.total_claimed,
            settled: totals.total_settled,
            fee_wei: fees.fee_wei(),
            cost,
        })
    }

    /// Carries out a request that is not about what channels hold. Returns the answer, if it has one.
    pub(super) async fn carry_out(&self, node: &EvmNodes, request: ChainRequest) -> Option<ChainAnswer> {
        match request {
            ChainRequest::Simulate { ticket, call } => {
                let plan = GasPlan::of(node, contract_call(&call), self.account).await;
                let result = plan.map(|plan| SimulatedCall {
                    gas: plan.expected_gas,
                    priority_fee_wei: plan.priority_fee_wei.min(plan.max_fee_wei),
                    max_fee_wei: plan.max_fee_wei,
                });
                Some(ChainAnswer::Simulated { ticket, result: result.map_err(|error| failure(&error)) })
            }
            ChainRequest::Sign { ticket, call, nonce, gas } => {
                let transaction = Eip1559 {
                    chain_id: self.terms.chain_id,
                    nonce,
                    priority_fee_wei: gas.priority_fee_wei.min(gas.max_fee_wei),
                    max_fee_wei: gas.max_fee_wei,
                    gas: gas.gas,
                    call: contract_call(&call),
                };
                let signed = transaction.sign(&self.key);
                Some(ChainAnswer::Signed { ticket, hash: signed.hash, raw: signed.raw })
            }
            ChainRequest::Send { hash, raw } => {
                let error = node.send_raw(&raw).await.err()?;
                Some(ChainAnswer::NotSent { hash, why: sanitize(&error.to_string(), WHY_CHARS) })
            }
            ChainRequest::Look { .. } | ChainRequest::Watch { .. } | ChainRequest::Forget(_) => None,
        }
    }
}

fn contract_call(call: &EscrowCall) -> vipnode_chain::ContractCall {
    match call {
        EscrowCall::Claim(claims) => escrow_calls::claim(claims),
        EscrowCall::Settle { receiver, token } => escrow_calls::settle(*receiver, *token),
    }
}

/// The form in which the core gets an error.
pub(super) fn failure(error: &ChainError) -> ChainFailure {
    match error {
        ChainError::Reverted { reason, .. } => ChainFailure::Reverted(sanitize(&reason.to_string(), WHY_CHARS)),
        error => ChainFailure::Unavailable(sanitize(&error.to_string(), WHY_CHARS)),
    }
}
