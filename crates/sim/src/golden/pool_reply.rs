//! The pool's answers by protocol 3.

use vipnode_types::wire::{
    AccountFunds, AccountView, AskReply, ConnectReply, Done, Excluded, ExplainReply, ExplainedHost, HostStatus,
    LeasePrice, LeaseView, LeasedHost, LeavingNode, LinkReply, NextPayout, NextPrice, NodeFunds, PaymentTerms,
    PayoutView, PoolStats, PoolStatus, ReportReply, Score, Selection,
};

use super::{Encode, Encoder};

impl Encode for ConnectReply {
    fn encode(&self, out: &mut Encoder) {
        let Self {
            pool_version: _release,
            pool_id: _role,
            welcome: _prose,
            report_interval_ms,
            price,
            fee_bps,
            terms,
            leases,
            replaced: _,
            no_hosts: _,
            payout,
            next_price,
        } = self;
        report_interval_ms.encode(out);
        price.encode(out);
        if *fee_bps > 0 {
            fee_bps.encode(out);
        }
        if !terms.payment.is_none() {
            terms.encode(out);
        }
        leases.encode(out);
        if let Some(payout) = payout {
            payout.encode(out);
        }
        if let Some(next) = next_price {
            next.encode(out);
        }
    }
}

impl Encode for NextPrice {
    fn encode(&self, out: &mut Encoder) {
        let Self { price, fee_bps, from_ms } = self;
        price.encode(out);
        fee_bps.encode(out);
        from_ms.encode(out);
    }
}

impl Encode for PaymentTerms {
    fn encode(&self, out: &mut Encoder) {
        let Self { payment, minimum_balance, smallest_payout, period_ms, trial_ms } = self;
        out.text(payment.name());
        minimum_balance.encode(out);
        smallest_payout.encode(out);
        period_ms.encode(out);
        trial_ms.encode(out);
    }
}

impl Encode for PayoutView {
    fn encode(&self, out: &mut Encoder) {
        let Self { account, next } = self;
        account.encode(out);
        next.map(|next| (next.account, next.from_ms)).encode(out);
    }
}

impl Encode for LeaseView {
    fn encode(&self, out: &mut Encoder) {
        let Self { lease, side, peer, price } = self;
        lease.encode(out);
        side.encode(out);
        peer.encode(out);
        price.encode(out);
    }
}

impl Encode for ReportReply {
    fn encode(&self, out: &mut Encoder) {
        let Self { resync, price, fee_bps, next_price, lease_prices } = self;
        resync.encode(out);
        if let Some(price) = price {
            price.encode(out);
        }
        if let Some(fee_bps) = fee_bps.filter(|fee_bps| *fee_bps > 0) {
            fee_bps.encode(out);
        }
        if let Some(next) = next_price {
            next.encode(out);
        }
        // Written only where there are any, as most agents are called.
        lease_prices.iter().for_each(|LeasePrice { lease, price }| {
            lease.encode(out);
            price.encode(out);
        });
    }
}

impl Encode for AccountFunds {
    fn encode(&self, out: &mut Encoder) {
        let Self { balance, running, limit, available } = self;
        balance.is_negative().encode(out);
        [balance.magnitude(), *running, *limit, *available].iter().for_each(|amount| amount.encode(out));
    }
}

impl Encode for LinkReply {
    fn encode(&self, out: &mut Encoder) {
        let Self { unpaid } = self;
        if let Some(error) = unpaid {
            error.encode(out);
        }
    }
}

impl Encode for AskReply {
    fn encode(&self, out: &mut Encoder) {
        let Self { hosts, missing, reason } = self;
        hosts.encode(out);
        missing.encode(out);
        reason.is_some().encode(out);
    }
}

impl Encode for LeasedHost {
    fn encode(&self, out: &mut Encoder) {
        let Self { lease, host, price, client_version, redial_ms } = self;
        lease.encode(out);
        host.encode(out);
        price.encode(out);
        out.text(client_version);
        redial_ms.encode(out);
    }
}

impl Encode for ExplainReply {
    fn encode(&self, out: &mut Encoder) {
        let Self { want, missing, reason, price, connected_hosts, examined, candidates, excluded, hosts } = self;
        want.encode(out);
        missing.encode(out);
        reason.is_some().encode(out);
        price.encode(out);
        connected_hosts.encode(out);
        examined.encode(out);
        candidates.encode(out);
        excluded.encode(out);
        hosts.encode(out);
    }
}

impl Encode for AccountView {
    fn encode(&self, out: &mut Encoder) {
        let Self {
            asset: _constant,
            time_ms,
            credited,
            debited,
            spent,
            funds,
            earned,
            secured,
            payable,
            nodes,
            leaving,
        } = self;
        time_ms.encode(out);
        [*credited, *debited, *spent, *earned, *secured, *payable].iter().for_each(|amount| amount.encode(out));
        funds.encode(out);
        nodes.encode(out);
        // Written only where there is something, as most accounts lose no host.
        leaving.iter().for_each(|LeavingNode { node, next: NextPayout { account, from_ms } }| {
            node.encode(out);
            (*account, *from_ms).encode(out);
        });
    }
}

impl Encode for NodeFunds {
    fn encode(&self, out: &mut Encoder) {
        let Self { asset: _constant, account, funds, payout, next_payout, earned, payable } = self;
        account.encode(out);
        payout.encode(out);
        // Written only where there is one, as most hosts keep their account.
        if let Some(next) = next_payout {
            (next.account, next.from_ms).encode(out);
        }
        funds.encode(out);
        [*earned, *payable].iter().for_each(|amount| amount.encode(out));
    }
}

impl Encode for Excluded {
    fn encode(&self, out: &mut Encoder) {
        let Self {
            other_chain,
            already_leased,
            full,
            too_expensive,
            no_trials,
            avoided,
            recently_failed,
            same_address,
            unreachable,
            incompatible,
            offers_none,
            waiting,
        } = self;
        for count in [
            other_chain,
            already_leased,
            full,
            too_expensive,
            avoided,
            recently_failed,
            same_address,
            unreachable,
            incompatible,
            offers_none,
            waiting,
        ] {
            count.encode(out);
        }
        // Written only where there are any, as most pools have no trials.
        if *no_trials > 0 {
            no_trials.encode(out);
        }
    }
}

impl Encode for ExplainedHost {
    fn encode(&self, out: &mut Encoder) {
        let Self { lease, host, selection } = self;
        lease.encode(out);
        host.encode(out);
        selection.encode(out);
    }
}

impl Encode for Selection {
    fn encode(&self, out: &mut Encoder) {
        let Self { score, candidates } = self;
        score.encode(out);
        candidates.encode(out);
    }
}

impl Encode for Score {
    fn encode(&self, out: &mut Encoder) {
        let Self { total, free_slots, latency, uptime, refusals, strikes, contradicted, redial, same_operator, mutual } =
            self;
        for points in
            [total, free_slots, latency, uptime, refusals, strikes, contradicted, redial, same_operator, mutual]
        {
            points.encode(out);
        }
    }
}

impl Encode for Done {
    fn encode(&self, _: &mut Encoder) {
        let Self {} = self;
    }
}

impl Encode for PoolStatus {
    fn encode(&self, out: &mut Encoder) {
        let Self {
            time_updated,
            time_started,
            version: _release,
            pool_id: _role,
            active_hosts,
            stats,
            fee_bps: _constant,
            terms,
            error,
        } = self;
        out.text(time_updated);
        out.text(time_started);
        active_hosts.encode(out);
        stats.encode(out);
        error.is_some().encode(out);
        if let Some(terms) = terms.filter(|terms| !terms.payment.is_none()) {
            terms.encode(out);
        }
    }
}

impl Encode for HostStatus {
    fn encode(&self, out: &mut Encoder) {
        let Self { short_id, last_seen, kind, node_version, vipnode_version, block_number, num_peers, slots } = self;
        for text in [short_id, last_seen, kind, node_version, vipnode_version] {
            out.text(text);
        }
        block_number.encode(out);
        num_peers.encode(out);
        slots.encode(out);
    }
}

impl Encode for PoolStats {
    fn encode(&self, out: &mut Encoder) {
        let Self {
            num_active_hosts,
            num_total_hosts,
            num_active_clients,
            num_total_clients,
            latest_block_number,
            total_credit,
            total_deposit,
            num_trial_balances,
            num_running_leases,
            num_metered_leases,
            metered_ms,
            metered_cost,
            running_ms,
            running_cost,
            price,
            num_agents,
            num_leases,
            num_free_slots,
            num_waiting_clients,
            num_pending_asks,
            num_calls_in_flight,
        } = self;
        for count in [num_active_hosts, num_total_hosts, num_active_clients, num_total_clients] {
            count.encode(out);
        }
        latest_block_number.encode(out);
        total_credit.encode(out);
        total_deposit.encode(out);
        num_trial_balances.encode(out);
        num_running_leases.encode(out);
        num_metered_leases.encode(out);
        metered_ms.encode(out);
        metered_cost.encode(out);
        running_ms.unwrap_or_default().encode(out);
        running_cost.unwrap_or_default().encode(out);
        price.encode(out);
        for count in
            [num_agents, num_leases, num_free_slots, num_waiting_clients, num_pending_asks, num_calls_in_flight]
        {
            count.encode(out);
        }
    }
}
