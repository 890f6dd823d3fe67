use serde::{Deserialize, Serialize};

use crate::{Amount, PaymentMode, payment::ChannelTerms};

/// The terms of payment at a pool, in addition to its price and its fee. Amounts are in the smallest unit of the asset
/// of the
/// price. A field that does not apply is absent; without payments, all of them are absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PaymentTerms {
    /// The payment mode. With `none`, leases are metered, and nobody pays.
    #[serde(default)]
    pub payment: PaymentMode,
    /// The amount that a client's account must have left before its node gets a first host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_balance: Option<Amount>,
    /// The smallest amount that the pool pays to a host; a smaller amount is carried over to the next settlement
    /// period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smallest_payout: Option<Amount>,
    /// The length of a settlement period, in milliseconds. Absent with `credit`, where the operator closes each period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period_ms: Option<u64>,
    /// The time for which the pool serves a new client without payment, with one host, in milliseconds. Absent if the
    /// pool offers no trial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial_ms: Option<u64>,
    /// The terms that a client's payment channel must meet. Absent unless clients pay by `x402`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelTerms>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The terms of a newer pool: what else it answers is still read, and it is not taken for one without payments.
    #[test]
    fn a_payment_mode_of_a_later_release_is_unknown() {
        let terms: PaymentTerms = serde_json::from_str(r#"{"payment":"prepaid","minimum_balance":"7"}"#).unwrap();
        let expected = PaymentTerms {
            payment: PaymentMode::Unknown,
            minimum_balance: Some(Amount::new(7)),
            ..PaymentTerms::default()
        };
        assert_eq!(terms, expected);
        assert!(!terms.payment.is_none());
    }
}
