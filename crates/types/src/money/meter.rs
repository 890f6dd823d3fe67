//! The meter: the billed time of a lease is a pure function of what its two sides saw.
//!
//! Time that only one side reports is not billed, and a report that is repeated, late or out of
//! order changes nothing (faults D13, D14, D19, D20, docs/faults.md).

use crate::Ms;

/// What one side of a lease saw of the other.
///
/// ```
/// use vipnode_types::{Ms, meter, meter::Seen};
///
/// let client = Some(Seen { up: Ms::new(10_000), end: Ms::new(90_000) });
/// let host = Some(Seen { up: Ms::new(12_000), end: Ms::new(72_500) });
/// assert_eq!(meter::billed_ms(client, host), 60_500);
/// assert_eq!(meter::billed_ms(client, None), 0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// The first moment.
    pub up: Ms,
    /// The last moment: when it said the peer was gone, else when it last reported at all.
    pub end: Ms,
}

/// Milliseconds that both sides saw: `max(0, min(ends) − max(ups))`.
///
/// `None` stands for a side that never saw the peer.
#[must_use]
pub fn billed_ms(client: Option<Seen>, host: Option<Seen>) -> u64 {
    match (client, host) {
        (Some(client), Some(host)) => client.end.min(host.end).since(client.up.max(host.up)),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seen(up: u64, end: u64) -> Option<Seen> {
        Some(Seen { up: Ms::new(up), end: Ms::new(end) })
    }

    #[test]
    fn only_common_time_counts() {
        assert_eq!(billed_ms(seen(10, 100), seen(20, 90)), 70);
        assert_eq!(billed_ms(seen(10, 100), None), 0);
        assert_eq!(billed_ms(seen(10, 20), seen(30, 40)), 0);
    }

    proptest! {
        #[test]
        fn d13_no_side_alone_can_raise_the_bill(a: [u32; 2], b: [u32; 2]) {
            let (client, host) = (seen(a[0].into(), a[1].into()), seen(b[0].into(), b[1].into()));
            let billed = billed_ms(client, host);
            prop_assert!(billed <= u64::from(a[1].saturating_sub(a[0])));
            prop_assert!(billed <= u64::from(b[1].saturating_sub(b[0])));
            prop_assert_eq!(billed, billed_ms(host, client));
        }
    }
}
