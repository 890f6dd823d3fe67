use vipnode_types::{Asset, wire::PaymentTerms};

use crate::output::format::{percent, span};

/// How clients of a pool pay, in a line: `credit, fee 2.5%; a client needs at least 0.5 USDC`.
pub(super) fn payment_words(terms: &PaymentTerms, fee_bps: u16, asset: Asset) -> String {
    if terms.payment.is_none() {
        return "none; leases are metered, not collected".to_owned();
    }
    // Exact: the least that is enough, rounded down, would not be.
    let amount = |amount| asset.show(amount);
    let needs = terms.minimum_balance.map(|least| format!("a client needs at least {}", amount(least)));
    let payout = terms.smallest_payout.filter(|least| least.get() > 1);
    let payout = payout.map(|least| format!("payouts from {}", amount(least)));
    let period = terms.period_ms.map(|ms| format!("every {}", span(ms)));
    let payout = payout.into_iter().chain(period).reduce(|payout, period| format!("{payout} {period}"));
    let trial = terms.trial_ms.map(|ms| format!("free trial of {}", span(ms)));
    let first = format!("{}, fee {}", terms.payment, percent(fee_bps));
    [Some(first), needs, trial, payout].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// What becomes of what an agent metered, in parentheses.
pub(super) fn metered_words(terms: Option<&PaymentTerms>) -> &'static str {
    if terms.is_some_and(|terms| terms.payment.is_none()) { "metered, not collected" } else { "metered by this agent" }
}

#[cfg(test)]
mod tests {
    use vipnode_types::{Amount, PaymentMode};

    use super::*;

    #[test]
    fn only_the_terms_that_apply_are_stated() {
        let usdc = Asset::new("USDC", 6).unwrap();
        let mut terms = PaymentTerms { payment: PaymentMode::Credit, ..PaymentTerms::default() };
        assert_eq!(payment_words(&terms, 0, usdc), "credit, fee 0%");
        let newer = PaymentTerms { payment: PaymentMode::Unknown, ..terms };
        assert_eq!(payment_words(&newer, 0, usdc), "unknown, fee 0%");
        terms.smallest_payout = Some(Amount::new(1));
        terms.minimum_balance = Some(Amount::new(500_000));
        assert_eq!(payment_words(&terms, 250, usdc), "credit, fee 2.5%; a client needs at least 0.5 USDC");
        (terms.smallest_payout, terms.trial_ms) = (Some(Amount::new(5_000_000)), Some(1_800_000));
        let all = "credit, fee 0%; a client needs at least 0.5 USDC; free trial of 30m; payouts from 5 USDC";
        assert_eq!(payment_words(&terms, 0, usdc), all);
        assert_eq!(metered_words(Some(&terms)), "metered by this agent");
        let none = PaymentTerms::default();
        assert_eq!(
            (metered_words(Some(&none)), metered_words(None)),
            ("metered, not collected", "metered by this agent")
        );
        assert_eq!(payment_words(&none, 250, usdc), "none; leases are metered, not collected");
    }
}
