use vipnode_agent_core::Notice;
use vipnode_types::{
    Account, Ms, Price, QuotedPrice,
    wire::{NextPrice, Side},
};

use crate::output::{Line, Tone, format::percent, payment_notices::payment_line};

/// A notice about the pool's price or who receives what a host earns; `None` for one about something else.
pub(super) fn price_line(notice: &Notice) -> Option<Line> {
    Some(match notice {
        Notice::PriceChanged { old, new } => {
            let text = format!(
                "The pool changed its price from {} to {}. The new price applies to new leases immediately, and to \
                 existing ones that continue from their next billing period on.",
                // "From nothing to …" would not read as a price.
                old,
                new
            );
            let json = |price| serde_json::to_value(price).unwrap_or_default();
            Line::new("price_changed", Tone::Plain, text).with("old", json(old)).with("new", json(new))
        }
        Notice::PriceKept { price } => {
            let text = format!(
                "This client pays at most {} for a slot here: without --max-price, the first price above zero that the pool announced to it is the maximum.",
                price.in_sentence()
            );
            Line::new("price_kept", Tone::Plain, text).with("price", serde_json::to_value(price).unwrap_or_default())
        }
        Notice::PriceAboveMaximum { price, most } => {
            let text = format!(
                "Waiting: a slot costs {}, more than --max-price {most}, so this client gets no further hosts until the \
                 price falls",
                price_here(*price, most)
            );
            Line::new("price_above_maximum", Tone::Warning, text)
                .with("price", serde_json::to_value(price).unwrap_or_default())
                .with("max_price", most.to_string())
                .hint(&format!(
                    "To accept the price, pass --max-price \"{price}\". To look for a cheaper pool, pass its URL."
                ))
        }
        Notice::PriceAnnounced { next, old_fee_bps, refused_by } => announced(next, *old_fee_bps, *refused_by),
        Notice::PriceWithdrawn { announced, price, fees_bps } => {
            let text = match fees_bps {
                Some((announced, fee)) => format!(
                    "The pool withdrew its announcement that it will keep {} of what a slot costs; it keeps {}",
                    percent(*announced),
                    percent(*fee)
                ),
                None => format!(
                    "The pool withdrew its announcement that a slot will cost {}; it costs {}",
                    announced.in_sentence(),
                    price.in_sentence()
                ),
            };
            let json = |price| serde_json::to_value(price).unwrap_or_default();
            Line::new("price_withdrawn", Tone::Plain, text)
                .with("announced", json(announced))
                .with("price", json(price))
        }
        _ => return payout_line(notice),
    })
}

/// The price in the form in which every other notice has it, and in the unit of the user's maximum if that differs.
pub(crate) fn price_here(price: Price, most: &QuotedPrice) -> String {
    let (shown, same) = (price.in_sentence(), most.in_same_unit(price));
    if shown == same { format!("{shown} here") } else { format!("{shown} here ({same})") }
}

/// A notice about who receives what a host earns.
fn payout_line(notice: &Notice) -> Option<Line> {
    Some(match notice {
        Notice::OtherPayout { wanted, paid } => other_payout(*wanted, *paid),
        Notice::PayoutChanges { paid, next, from } => payout_changes(*paid, *next, *from),
        Notice::PayoutKept { paid, canceled } => {
            let text = format!(
                "The change of the payout account to {canceled} is canceled; the pool still pays this host's earnings to {paid}"
            );
            let line = Line::new("payout_kept", Tone::Plain, text).with("paid", paid.to_string());
            line.with("canceled", canceled.to_string())
        }
        Notice::PayoutChanged { paid } => {
            let text = format!("The pool now pays this host's earnings to {paid}");
            Line::new("payout_changed", Tone::Plain, text).with("paid", paid.to_string())
        }
        _ => return payment_line(notice),
    })
}

fn announced(next: &NextPrice, old_fee_bps: Option<u16>, refused_by: Option<Side>) -> Line {
    let NextPrice { price, fee_bps, from_ms } = *next;
    let verdict = match refused_by {
        None => "",
        Some(Side::Client) => "; this client does not (--max-price)",
        Some(Side::Host) => "; this host does not (--min-price)",
    };
    let (change, what) = match old_fee_bps {
        Some(old) => {
            let (new, old) = (percent(fee_bps), percent(old));
            let change =
                format!("this pool keeps {new} of what a slot costs, instead of {old}; the price stays {price}");
            (change, "fee")
        }
        None => {
            let kept = Some(fee_bps).filter(|fee| *fee > 0).map(percent);
            let fee = kept.map(|kept| format!(", of which the pool keeps {kept}")).unwrap_or_default();
            (format!("a slot costs {} at this pool{fee}", price.in_sentence()), "price")
        }
    };
    let text = format!(
        "From {}, {change}. From then on, the {what} applies to new leases, and to a running lease from its next billing period, \
         if both sides accept it{verdict}",
        from_ms.rfc3339_seconds(),
    );
    let line = Line::new("price_announced", Tone::Warning, text)
        .with("price", serde_json::to_value(price).unwrap_or_default())
        .with("fee_bps", fee_bps)
        .with("from_ms", from_ms.get())
        .with("accepted", refused_by.is_none());
    match refused_by {
        None => line,
        Some(Side::Client) => line.hint(&format!("To keep its hosts, pass --max-price \"{price}\".")),
        Some(Side::Host) => line.hint("To keep its clients, pass a lower --min-price."),
    }
}

fn other_payout(wanted: Account, paid: Option<Account>) -> Line {
    let text = match paid {
        Some(paid) => format!("The pool pays what this host earns to {paid}, not to {wanted} (--payout)"),
        None => format!("The pool does not know {wanted} (--payout), so this host earns nothing"),
    };
    let hint = format!("Where the node key is readable, run `vipnode account payout {wanted}`");
    let line = Line::new("other_payout", Tone::Warning, text).with("wanted", wanted.to_string());
    line.with("paid", paid.map(|paid| paid.to_string())).hint(&hint)
}

fn payout_changes(paid: Account, next: Account, from: Ms) -> Line {
    let text = format!(
        "The node key signed a change of the payout account: from {}, the pool pays this host's earnings to {next}",
        from.rfc3339_seconds()
    );
    let hint = format!("If you did not request this, keep the current account: `vipnode account payout {paid}`");
    let line = Line::new("payout_changes", Tone::Warning, text).with("paid", paid.to_string());
    line.with("next", next.to_string()).with("from_ms", from.get()).hint(&hint)
}
