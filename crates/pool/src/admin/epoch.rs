use serde::{Deserialize, Serialize};
use vipnode_pool_core::{EpochPlan, EpochRow, EpochView, Reply};
use vipnode_types::{Account, Amount, Asset, Ms, wire::WireError};

use super::{AdminService, OPERATOR_LOG};
use crate::call_refusal::CallRefusal;

/// Requests the state of the pool's claim epochs, or starts one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct EpochRequest {
    /// Whether to begin an epoch now, or to resume one that was halted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub run: bool,
}

/// The claim epochs of the pool. Amounts are in the asset's smallest unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AdminEpoch {
    /// What the pool charges in.
    pub asset: Asset,
    /// The number of the newest epoch; 0 before the first.
    pub number: u64,
    /// What the pool does next: open, read, redeem, confirm, settle, or halted.
    pub step: String,
    /// When the step began.
    pub since_ms: Ms,
    /// When the next epoch begins (its cutoff).
    pub next_cut_ms: Ms,
    /// When the newest complete epoch ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_ms: Option<Ms>,
    /// What the epoch is waiting for, if something is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// The number of channels that the epoch claims from.
    pub claims: u64,
    /// The amount that the epoch claims from all its channels.
    pub claiming: Amount,
    /// The claims that were left out of the epoch (only the first ones are listed).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub set_aside: Vec<SetAsideClaim>,
    /// The number of its transactions whose block is not final.
    pub transactions: u64,
    /// The cost of its transactions, in wei, as a decimal number.
    pub gas_wei: String,
    /// The amount that the receiver got in excess of the epoch's claims.
    pub unattributed: Amount,
    /// What an epoch would claim if it began now.
    pub plan: AdminEpochPlan,
}

/// A claim that was left out of an epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SetAsideClaim {
    /// The payer authorizer of the channel.
    pub payer: Account,
    /// The reason, in the words of the contract or of the pool.
    pub reason: String,
}

/// What an epoch would claim if it began now. It drops claims that are not worth their gas.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AdminEpochPlan {
    /// The number of channels.
    pub claims: u64,
    /// The total amount to claim.
    pub amount: Amount,
    /// The gas of its transactions, rounded up.
    pub gas: u64,
    /// The cost of the gas at the newest gas price that the pool has read, in wei, as a decimal number; absent if it
    /// has not read one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gas_wei: Option<String>,
}

/// Answers about the epochs. What was ordered is durable when this returns.
pub(super) async fn epoch(admin: &AdminService, request: EpochRequest) -> Result<AdminEpoch, WireError> {
    let Reply::Epoch(view) = admin.service.gateway.epoch(request.run).await? else {
        return Err(CallRefusal::Internal { why: "the core gave an unexpected answer".to_owned() }.into());
    };
    if request.run {
        tracing::info!(target: OPERATOR_LOG, epoch = view.row.number, "the operator began an epoch");
    }
    Ok(answer(*view))
}

fn answer(view: EpochView) -> AdminEpoch {
    let EpochView { asset, row, claims, claiming, set_aside, transactions, next_cut, plan } = view;
    let EpochRow { number, step, since, unattributed, spent_wei, finished, problem, .. } = row;
    let EpochPlan { claims: plan_claims, amount, gas, fee_wei } = plan;
    let gas_wei = (fee_wei > 0).then(|| fee_wei.saturating_mul(gas.into()).to_string());
    let set_aside = set_aside.into_iter().filter_map(|claim| {
        let reason = claim.set_aside?;
        Some(SetAsideClaim { payer: claim.signer, reason })
    });
    AdminEpoch {
        asset,
        number,
        step: step.name().to_owned(),
        since_ms: since,
        next_cut_ms: next_cut,
        finished_ms: finished,
        problem,
        claims,
        claiming,
        set_aside: set_aside.collect(),
        transactions,
        gas_wei: spent_wei.to_string(),
        unattributed,
        plan: AdminEpochPlan { claims: plan_claims, amount, gas, gas_wei },
    }
}
