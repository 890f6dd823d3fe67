use vipnode_agent_core::Notice;

use crate::output::{Line, Tone, format::priced, payment_notices::payment_line};

/// A notice about the pool's price; `None` for one about something else.
pub(super) fn price_line(notice: &Notice) -> Option<Line> {
    Some(match notice {
        Notice::PriceChanged { old, new } => {
            let text = format!(
                "The pool changed its price from {} to {}. The new price applies to new leases at once, and to \
                 existing ones from their next billing period on.",
                priced(*old),
                priced(*new)
            );
            let json = |price| serde_json::to_value(price).unwrap_or_default();
            Line::new("price_changed", Tone::Plain, text).with("old", json(old)).with("new", json(new))
        }
        Notice::PriceKept { price } => {
            let text = format!(
                "This client pays at most {} for a slot here: without --max-price, the price at the first start is the maximum.",
                priced(*price)
            );
            Line::new("price_kept", Tone::Plain, text).with("price", serde_json::to_value(price).unwrap_or_default())
        }
        Notice::PriceAboveMaximum { price, most } => {
            let text = format!(
                "Waiting: a slot costs {price} here, more than --max-price {most}, so this client gets no further \
                 hosts until the price falls"
            );
            Line::new("price_above_maximum", Tone::Warning, text)
                .with("price", serde_json::to_value(price).unwrap_or_default())
                .with("max_price", most.to_string())
                .hint(&format!(
                    "To accept the price, pass --max-price \"{price}\". To look for a cheaper pool, pass its URL."
                ))
        }
        _ => return payment_line(notice),
    })
}
