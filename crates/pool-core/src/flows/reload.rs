use crate::{Core, Limits};

impl Core {
    /// Applies new limits. Running deadlines keep their time. While nobody pays, a price applies to new leases at once, and to
    /// others when they roll over; otherwise it is announced. Returns the names of changed limits that take
    /// effect only at the next start.
    pub fn set_limits(&mut self, limits: Limits) -> Vec<&'static str> {
        let fixed = ["chains", "versions", "profiles", "nonce_ahead_ms", "nonce_behind_ms"];
        let mut limits = limits;
        let mut refused = Vec::new();
        for row in Limits::TABLE.iter().filter(|row| fixed.contains(&row.name)) {
            let held = (row.get)(&self.limits);
            if (row.get)(&limits) != held {
                (row.set)(&mut limits, held);
                refused.push(row.name);
            }
        }
        // These take effect at the next start.
        (limits.payment, limits.fee_bps) = (self.limits.payment, self.limits.fee_bps);
        (limits.channel, limits.epoch) = (self.limits.channel, self.limits.epoch);
        self.prices.settings.price = limits.price;
        if self.ledger.is_some() {
            // Announced with the next tick.
            limits.price = self.limits.price;
        } else if limits.price != self.limits.price {
            self.prices.since = self.clock.now();
        }
        self.limits = limits;
        for host in self.agents.recount_all_observations(&self.limits) {
            self.refresh_open_hosts(host);
        }
        let (matching, context) = self.matching();
        matching.group_by_blocks(context);
        refused
    }
}

#[cfg(test)]
mod tests {
    use vipnode_types::{Ms, Price};

    use super::*;

    #[test]
    fn other_limits_are_taken_but_for_those_that_tables_were_made_with() {
        let price = Price::per_minute(100_000_000_000);
        let mut core = Core::new(Limits::default(), [0; 32], Ms::ZERO);
        let newer = Limits { price, members_only: true, chains: 7, max_request_hosts: 3, ..Limits::default() };
        assert_eq!(core.set_limits(newer), ["chains"]);
        assert_eq!((core.limits.price, core.limits.members_only, core.limits.max_request_hosts), (price, true, 3));
        assert_eq!(core.limits.chains, Limits::default().chains);
    }
}
