use vipnode_pool::admin::AdminPrice;
use vipnode_pool_core::{EpochTerms, Limits};
use vipnode_types::{PaymentMode, Price, payment::ChannelTerms, wire::NextPrice};

use crate::output::{
    Line, Tone,
    format::{percent, span},
    with_carried_flags_of_own,
};

/// What a slot costs at a started pool, how clients pay for it, and what changes.
#[derive(Debug)]
pub(crate) struct PoolTerms {
    /// What a slot costs now.
    pub(crate) price: Price,
    /// How clients pay.
    pub(crate) payment: PaymentMode,
    /// The operator's fee, in basis points of what clients pay.
    pub(crate) fee_bps: u16,
    /// What a client's payment channel must be, with x402.
    pub(crate) channel: Option<ChannelTerms>,
    /// How the pool claims on its own.
    pub(crate) epoch: Option<EpochTerms>,
    /// How long a new client is served for free, in milliseconds; 0 for no trial.
    pub(crate) trial_ms: u64,
    /// The price and the fee that were announced.
    pub(crate) next: Option<NextPrice>,
    /// Whether they were announced because the settings name them.
    pub(crate) by_settings: bool,
}

/// What agents are promised: a price takes effect no sooner after it was announced.
const PROMISED_NOTICE_MS: u64 = 24 * 60 * 60 * 1_000;

impl PoolTerms {
    /// The terms of a pool with these settings. Where clients pay, `prices` is what counts: settings only announce a price or a fee.
    pub(crate) fn of(settings: &Limits, prices: Option<&AdminPrice>) -> Self {
        let Limits { price, fee_bps, payment, trial_ms, channel, epoch, .. } = *settings;
        let next = prices.and_then(|prices| prices.next);
        Self {
            price: prices.map_or(price, |prices| prices.price),
            payment,
            channel,
            epoch,
            fee_bps: prices.map_or(fee_bps, |prices| prices.fee_bps),
            trial_ms,
            next,
            by_settings: next.is_some_and(|next| (next.price, next.fee_bps) == (price, fee_bps)),
        }
    }

    /// Its lines: the price, how clients pay, and what was announced.
    pub(crate) fn lines(&self) -> Vec<Line> {
        let lines =
            [Some(self.price()), Some(self.payments()), self.no_price(), self.deposits(), self.claims(), self.change()];
        lines.into_iter().flatten().collect()
    }

    /// The price, and in what the pool charges.
    fn price(&self) -> Line {
        let asset = self.price.asset();
        let text =
            format!("Price: {} (asset {}:{}{})", self.price, asset.symbol(), asset.decimals(), self.asset_is_kept());
        let line =
            Line::new("price", Tone::Plain, text).with("price", serde_json::to_value(self.price).unwrap_or_default());
        line.with("next_price", serde_json::to_value(self.next).unwrap_or_default())
    }

    /// Whether clients are to pay, and nothing costs anything.
    fn lacks_price(&self) -> bool {
        let next_is_free = self.next.is_none_or(|next| next.price.is_free());
        !self.payment.is_none() && self.price.is_free() && next_is_free
    }

    /// That an asset that nobody may have chosen is about to be kept.
    fn asset_is_kept(&self) -> &'static str {
        if self.lacks_price() {
            "; after the first price, credit, or voucher, --asset can no longer change"
        } else {
            ""
        }
    }

    /// That the operator may have forgotten the price.
    fn no_price(&self) -> Option<Line> {
        let mode = self.payment;
        let text = format!("Clients are charged nothing: --payment {mode} was given without a price");
        let hint = "To charge, pass --price PRICE, such as --price \"100 gwei/minute\"";
        self.lacks_price().then(|| Line::new("no_price", Tone::Warning, text).hint(hint))
    }

    /// Into which channels clients deposit.
    fn deposits(&self) -> Option<Line> {
        let terms = self.channel?;
        let ChannelTerms { chain_id, token, receiver, receiver_authorizer, withdraw_delay_s } = terms;
        let delay = span(u64::from(withdraw_delay_s).saturating_mul(1_000));
        let text = format!(
            "Deposits: on chain {chain_id}, with --token {token} --receiver {receiver} --receiver-authorizer {receiver_authorizer} \
             --withdraw-delay {withdraw_delay_s}s ({delay})"
        );
        let line = Line::new("deposits", Tone::Plain, text);
        Some(line.with("channel", serde_json::to_value(terms).unwrap_or_default()))
    }

    /// Who claims, and when.
    fn claims(&self) -> Option<Line> {
        let claimer = self.channel?.receiver_authorizer;
        let Some(EpochTerms { epoch_ms, .. }) = self.epoch else {
            let text = format!("Claims: by command only, because the pool does not have the key of {claimer}");
            let hint = "Run `vipnode pool admin claim` at least once a week, or pass the key: --chain.keystore FILE";
            return Some(Line::new("claims", Tone::Plain, text).hint(hint).with("claimer", claimer.to_string()));
        };
        let text = format!("Claims: automatic, every {}, by {claimer}", span(epoch_ms));
        let line = Line::new("claims", Tone::Plain, text).with("claimer", claimer.to_string());
        Some(line.with("epoch_ms", epoch_ms))
    }

    /// How clients pay, and the fee.
    fn payments(&self) -> Line {
        let text = match self.payment {
            PaymentMode::None => "Payments: none; leases are metered, and nobody pays".to_owned(),
            mode @ (PaymentMode::Credit | PaymentMode::X402 | PaymentMode::Unknown) => {
                let trial = match self.trial() {
                    Some(ms) => format!("; free trial of {}", span(ms)),
                    None => String::new(),
                };
                format!("Payments: {mode}, fee {}{trial}", percent(self.fee_bps))
            }
        };
        let line = Line::new("payments", Tone::Plain, text).with("payment", self.payment.name());
        line.with("fee_bps", self.fee_bps).with("trial_ms", self.trial())
    }

    /// How long a new client is served for free, in milliseconds.
    fn trial(&self) -> Option<u64> {
        let trial = Some(self.trial_ms).filter(|ms| *ms > 0);
        trial.filter(|_| !self.payment.is_none() && !self.price.is_free())
    }

    /// What changes and from when on. A setting that was left out changes something too.
    fn change(&self) -> Option<Line> {
        let NextPrice { price, fee_bps, from_ms } = self.next?;
        let (mut changes, mut flags) = (Vec::new(), Vec::new());
        if price != self.price {
            changes.push(format!("a slot costs {} instead of {}", price.in_sentence(), self.price.in_sentence()));
            flags.push(format!("--price \"{}\"", self.price));
        }
        if fee_bps != self.fee_bps {
            changes.push(format!("the operator's fee is {} instead of {}", percent(fee_bps), percent(self.fee_bps)));
            flags.push(format!("--fee-bps {}", self.fee_bps));
        }
        let text = format!("From {}, {}", from_ms.rfc3339_seconds(), changes.join(", and "));
        let hint = if self.by_settings {
            format!("If you do not want this, start the pool with {}", flags.join(" "))
        } else {
            let now = format!("\"{}\" --fee-bps {}", self.price, self.fee_bps);
            // It has a price in quotes, which is not completed in the hints of others.
            with_carried_flags_of_own(&format!("To withdraw this, run `vipnode pool admin price {now} --reason TEXT`"))
        };
        let line = Line::new("price_announced", Tone::Warning, text).hint(&hint);
        Some(line.with("next_price", serde_json::to_value(self.next).unwrap_or_default()))
    }
}

/// A warning of a pool whose clients pay and hear of a new price later than agents are promised.
pub(crate) fn short_notice(limits: &Limits) -> Option<Line> {
    let notice_ms = Some(limits.price_notice_ms).filter(|ms| *ms < PROMISED_NOTICE_MS && !limits.payment.is_none())?;
    let text = format!(
        "A new price or fee takes effect {} after it was announced (price_notice_ms). Agents are promised 24 h: use less for \
         development only",
        span(notice_ms)
    );
    let line = Line::new("short_notice", Tone::Warning, text).hint("Remove --limit price_notice_ms=…");
    Some(line.with("price_notice_ms", notice_ms))
}

/// What a reload of the settings with another price changed. `before` is what counted until then, where clients pay.
pub(crate) fn price_change(before: Option<&AdminPrice>, old: &Limits, new: &Limits) -> Option<Line> {
    let json = |price| serde_json::to_value(price).unwrap_or_default();
    let (event, old, text) = match before {
        _ if old.price == new.price => return None,
        None => (
            "price_changed",
            old.price,
            "effective immediately for new leases and from the next billing period for existing ones".to_owned(),
        ),
        Some(now) if now.price == new.price => {
            let announced = now.next?;
            let text = format!(
                "The announcement that a slot will cost {} is withdrawn; it costs {}",
                announced.price.in_sentence(),
                now.price.in_sentence()
            );
            let line = Line::new("price_withdrawn", Tone::Good, text);
            return Some(line.with("announced", json(announced.price)).with("price", json(now.price)));
        }
        Some(now) => {
            let after = span(new.price_notice_ms);
            let text = format!("in {after} for new leases, and with their next billing period for existing ones");
            ("price_announced", now.price, text)
        }
    };
    let verb = if before.is_some() { "will change" } else { "changed" };
    let text = format!("The price of a slot {verb} from {} to {}, {text}", old.in_sentence(), new.price.in_sentence());
    Some(Line::new(event, Tone::Good, text).with("old", json(old)).with("new", json(new.price)))
}

#[cfg(test)]
mod tests {
    use vipnode_types::{Account, Amount, Ms};

    use super::*;
    use crate::tests::text_of;

    const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

    fn settings(gwei: u64, fee_bps: u16) -> Limits {
        let price = Price::per_minute(gwei * 1_000_000_000);
        Limits { price, fee_bps, payment: PaymentMode::Credit, ..Limits::default() }
    }

    fn next(gwei: u64, fee_bps: u16) -> Option<NextPrice> {
        let price = Price::per_minute(gwei * 1_000_000_000);
        Some(NextPrice { price, fee_bps, from_ms: Ms::new(1_800_086_400_000) })
    }

    fn prices(next: Option<NextPrice>) -> AdminPrice {
        AdminPrice { price: Price::per_minute(100_000_000_000), fee_bps: 500, next }
    }

    #[test]
    fn a_start_says_what_changes_and_from_when_on() {
        let said = |settings: &Limits, next| text_of(&PoolTerms::of(settings, Some(&prices(next))).lines());
        let forgotten = said(&settings(100, 0), next(100, 0));
        assert!(forgotten.contains("Payments: credit, fee 5%"), "{forgotten}");
        assert!(forgotten.contains("From 2027-01-16T08:00:00Z, the operator's fee is 0% instead of 5%"), "{forgotten}");
        assert!(forgotten.contains("start the pool with --fee-bps 500"), "{forgotten}");
        let both = said(&settings(120, 0), next(120, 0));
        assert!(both.contains("a slot costs 120 gwei/minute instead of 100 gwei/minute, and the"), "{both}");
        assert!(both.contains("--price \"100 gwei/minute\" --fee-bps 500"), "{both}");
        let ordered = said(&settings(100, 500), next(120, 500));
        assert!(ordered.contains("vipnode pool admin price \"100 gwei/minute\" --fee-bps 500"), "{ordered}");
        let same = said(&settings(100, 500), None);
        assert!(!same.contains("From") && !same.contains("instead"), "{same}");
    }

    #[test]
    fn a_pool_on_a_chain_states_who_claims() {
        let account = Account::new([7; 20]);
        let channel = ChannelTerms {
            chain_id: 8_453,
            token: account,
            receiver: account,
            receiver_authorizer: account,
            withdraw_delay_s: 1_209_600,
        };
        let said = |epoch| {
            let settings = Limits { payment: PaymentMode::X402, channel: Some(channel), epoch, ..settings(100, 0) };
            text_of(&PoolTerms::of(&settings, None).lines())
        };
        let by_command = said(None);
        assert!(
            by_command.contains("Claims: by command only") && by_command.contains("--chain.keystore"),
            "{by_command}"
        );
        let automatic = said(Some(EpochTerms { epoch_ms: 7 * DAY_MS, coin_price: Amount::new(1) }));
        assert!(automatic.contains(&format!("Claims: automatic, every 7days, by {account}")), "{automatic}");
    }

    #[test]
    fn a_start_says_until_when_another_asset_can_be_chosen() {
        let said = |settings: &Limits, prices: Option<&AdminPrice>| text_of(&PoolTerms::of(settings, prices).lines());
        let free = AdminPrice { price: Price::FREE, fee_bps: 0, next: None };
        let kept = said(&settings(0, 0), Some(&free));
        assert!(
            kept.contains("Price: free (asset ETH:18; after the first price, credit, or voucher, --asset can"),
            "{kept}"
        );
        assert!(kept.contains("charged nothing: --payment credit was given without a price"), "{kept}");
        let announced = said(&settings(0, 0), Some(&AdminPrice { next: next(120, 0), ..free }));
        let nobody_pays = said(&Limits::default(), None);
        for text in [announced, nobody_pays, said(&settings(100, 500), Some(&prices(None)))] {
            assert!(text.contains("(asset ETH:18)") && !text.contains("charged nothing"), "{text}");
        }
    }

    #[test]
    fn a_notice_of_less_than_a_day_is_for_development() {
        let with = |price_notice_ms, payment| Limits { price_notice_ms, payment, ..Limits::default() };
        let short = text_of(&[short_notice(&with(3_600_000, PaymentMode::Credit)).unwrap()]);
        assert!(short.contains("1h after it was announced") && short.contains("promised 24 h"), "{short}");
        assert!(short_notice(&with(0, PaymentMode::Credit)).is_some());
        assert!(short_notice(&with(DAY_MS, PaymentMode::Credit)).is_none());
        assert!(short_notice(&with(0, PaymentMode::None)).is_none(), "nothing is announced");
    }

    #[test]
    fn a_reload_says_when_its_price_counts() {
        let said = |before: Option<AdminPrice>, old, new| {
            price_change(before.as_ref(), &settings(old, 500), &settings(new, 500)).map(|line| text_of(&[line]))
        };
        assert_eq!(said(None, 100, 100), None);
        assert!(
            said(None, 100, 120)
                .unwrap()
                .contains("changed from 100 gwei/minute to 120 gwei/minute, effective immediately")
        );
        let announced = said(Some(prices(None)), 90, 120).unwrap();
        assert!(announced.contains("will change from 100 gwei/minute to 120 gwei/minute, in 1day for"), "{announced}");
        let withdrawn = said(Some(prices(next(120, 500))), 120, 100).unwrap();
        assert!(withdrawn.contains("will cost 120 gwei/minute is withdrawn; it costs 100 gwei/minute"), "{withdrawn}");
        assert_eq!(said(Some(prices(None)), 120, 100), None, "it counts already");
    }
}
