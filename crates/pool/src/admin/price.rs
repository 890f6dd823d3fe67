use serde::{Deserialize, Serialize};
use vipnode_pool_core::{NextPricing, OrderError, Pricing, PricingRow, Reply};
use vipnode_types::{
    Price, QuotedPrice, WHOLE_BPS, sanitize,
    wire::{NextPrice, WireError},
};

use super::{AdminService, OPERATOR_LOG, ledger::REASON_CHARS};
use crate::call_refusal::CallRefusal;

/// Announces a price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PriceRequest {
    /// The future price of a slot, as people write it.
    pub price: QuotedPrice,
    /// The operator's fee, in basis points of what clients pay; `None` for the current one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee_bps: Option<u16>,
    /// The reason, for the audit log; at most 200 characters.
    pub reason: String,
}

/// The current price of a slot, and the announced one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AdminPrice {
    /// The price of a slot in a new lease.
    pub price: Price,
    /// The operator's fee, in basis points of what clients pay.
    pub fee_bps: u16,
    /// The announced price; `None` if no change is announced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<NextPrice>,
}

impl From<&PricingRow> for AdminPrice {
    fn from(row: &PricingRow) -> Self {
        Self { price: row.current.price, fee_bps: row.current.fee_bps, next: row.next.map(NextPrice::from) }
    }
}

/// Announces a price. The announcement is durable when this returns. The same price again keeps its time, so the order
/// needs no
/// idempotency key.
pub(super) async fn announce(admin: &AdminService, request: &PriceRequest) -> Result<AdminPrice, WireError> {
    if request.fee_bps.is_some_and(|fee_bps| fee_bps > WHOLE_BPS) {
        return Err(CallRefusal::invalid_params(&format!("fee_bps is at most {WHOLE_BPS}")).into());
    }
    let reason = sanitize(&request.reason, REASON_CHARS);
    if reason.trim().is_empty() {
        return Err(OrderError::BlankReason.into());
    }
    let Reply::Pricing(row) = admin.service.gateway.announce_price(request.price.clone(), request.fee_bps).await?
    else {
        return Err(CallRefusal::Internal { why: "the core gave an unexpected answer".to_owned() }.into());
    };
    let (old, old_fee_bps) = (row.current.price, row.current.fee_bps);
    match &row.next {
        Some(NextPricing { pricing: Pricing { price: new, fee_bps, .. }, .. }) => {
            tracing::info!(target: OPERATOR_LOG, %old, %new, old_fee_bps, fee_bps, ?reason, "the operator announced a price");
        }
        None => {
            tracing::info!(target: OPERATOR_LOG, price = %old, fee_bps = old_fee_bps, ?reason, "the operator announced no new price");
        }
    }
    Ok(AdminPrice::from(row.as_ref()))
}
