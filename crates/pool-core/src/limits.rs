//! Every limit of the pool's core, as `vipnode pool --print-limits` prints it: name, default, unit, range, and what
//! happens at it.

use vipnode_types::{ChainSpec, PaymentMode, Price, limits, payment::ChannelTerms};

use crate::EpochTerms;

pub(crate) const SECOND: u64 = 1_000;
pub(crate) const MINUTE: u64 = 60 * SECOND;
pub(crate) const HOUR: u64 = 60 * MINUTE;
pub(crate) const DAY: u64 = 24 * HOUR;

limits! {
    /// Every limit of the pool's core, by name.
    Limits {
        /// The core is ticked at least this often. A gap of more than ten times as long counts as a pause of the pool, not as
        /// silence of its agents.
        tick_ms: u64 = SECOND, Time 10..=10 * SECOND;
        /// An agent reports at least this often.
        report_interval_ms: u64 = MINUTE, Time SECOND..=119 * SECOND;
        /// An agent that does not report for longer counts as having been offline since its last report.
        silence_ms: u64 = 3 * MINUTE, Time 2 * SECOND..=HOUR;
        /// After a start, no agent counts as silent for this long.
        reconnect_window_ms: u64 = 10 * MINUTE, Time SECOND..=DAY;
        /// An agent answers a call within this time, counted from when the call was sent; a host that does not admit in time
        /// loses the offer. An agent may take 2 s until a slot is free again, so with less than 3 s, hosts may be too late.
        admit_deadline_ms: u64 = 3 * SECOND, Time 100..=MINUTE;
        /// A call to an agent waits this long for its rows to become durable, in addition to `admit_deadline_ms`; then the core
        /// cancels it.
        commit_ms: u64 = 30 * SECOND, Time SECOND..=10 * MINUTE;
        /// A request for hosts is answered after this time with the hosts found so far.
        ask_deadline_ms: u64 = 5 * SECOND, Time 100..=MINUTE;
        /// An offer ends if client and host do not connect to each other within this time. If neither node may dial the
        /// other yet, the time counts from when one of them may. For a client that is not proven, this applies only
        /// while more slots are free than waiting clients need.
        offer_ms: u64 = 15 * SECOND, Time SECOND..=10 * MINUTE;
        /// An offer to a protocol 2 side ends this long after the longest gap between two of its updates.
        offer_update_ms: u64 = 30 * SECOND, Time SECOND..=10 * MINUTE;
        /// The longest gap between two updates that `offer_update_ms` takes into account, and the gap that it assumes
        /// until three updates have arrived.
        update_gap_ms: u64 = 2 * MINUTE, Time SECOND..=10 * MINUTE;
        /// An offer between the two protocols ends after this time if the protocol 3 side has not seen the other. geth
        /// dials a peer again after 35 s.
        offer_unseen_ms: u64 = 45 * SECOND, Time SECOND..=10 * MINUTE;
        /// After a start of the pool, an offer to a client that is not proven waits this long for client and host to reconnect,
        /// unless the host reports that they are connected. All other offers wait for `reconnect_window_ms`.
        restored_offer_ms: u64 = 30 * SECOND, Time SECOND..=DAY;
        /// If client and host of a lease are not connected after this time, the host is asked to dial.
        dial_after_ms: u64 = 2 * SECOND, Time 100..=MINUTE;
        /// A host is not offered twice within this time to clients at the same public address.
        same_address_ms: u64 = 35 * SECOND, Time 0..=HOUR;
        /// After the host of a running lease reports "gone", the lease waits this long for the client's report.
        host_gone_wait_ms: u64 = 15 * SECOND, Time SECOND..=10 * MINUTE;
        /// A lease starts a new billing period after this time.
        rollover_ms: u64 = DAY, Time MINUTE..=30 * DAY;
        /// A lease starts its next billing period when pool time (UTC) is a multiple of this: the periods of many leases are then
        /// written to the disk together, which takes much less space than one at a time.
        rollover_group_ms: u64 = HOUR, Time 1..=DAY;
        /// Time per day (UTC) that a client may use without being billed, in addition to `unpaired_percent`; counts
        /// only if the pool charges a price. Beyond it, the client gets no further hosts that day. Clients in one
        /// address block (/24, /48) share one such limit, and clients in one wide block (/16, /32) four, except those
        /// that were billed for as long within seven days. A lease that runs when the limit is reached ends no later
        /// than `silence_ms` after the client's last report.
        unpaired_ms_a_day: u64 = 10 * MINUTE, Time 0..=DAY;
        /// Time that may be used without being billed, as a percentage of the billed time: for a client, of its billed
        /// time that day; for a client and one host, of their billed time over seven days.
        unpaired_percent: u32 = 5, Count 0..=100;
        /// Time per day for which only the host of a client-host pair may report the connection, in addition to
        /// `silence_ms`, `unpaired_percent`, and two report intervals if one of the two uses protocol 2. Beyond it, the
        /// pool does not match the two until the next day.
        unpaired_pair_ms: u64 = 2 * MINUTE, Time 0..=DAY;
        /// Wide address blocks (/16, /32) whose hosts must report unpaired time before a client, or the clients in an address
        /// block, get no more hosts: the hosts in one wide block count for at most 1/N of the limit. Beyond that, and
        /// beyond what one pair may lose, the clients in the address block get no hosts in that wide block.
        lockout_blocks: u32 = 3, Count 1..=100;
        /// Billing periods that a node ends in one hour; further ones are added up by pair and written in the next hour.
        periods_an_hour: u32 = 1_000, Count 1..=60_000;
        /// Billing periods that are written in one hour for the nodes in one address block (/24, /48); a wide block (/16, /32) may
        /// have four times as many. Further ones are added up by pair and written in the next hour, which may be as many again.
        /// If none of them can wait (see `waiting_periods`), clients in the block get no further hosts in this hour, and a
        /// lease ends once it is interrupted. A closed pool does not limit its members.
        periods_an_hour_of_a_block: u32 = 10_000, Count 1..=100_000_000;
        /// Billing periods that are waiting for the next hour, each of which is written to the store at most once a
        /// second. The address blocks of clients (/24, /48, and /16, /32) may have at most as many as are still free;
        /// proven clients share whatever is free. Beyond it, they are written immediately, but see
        /// `periods_an_hour_of_a_block`.
        waiting_periods: u32 = 100_000, Count 0..=10_000_000;
        /// Pairs of a client and a host whose time is remembered for a week; an address block may hold as many as are free.
        /// Beyond it, the time of a client's hosts is remembered together, except for four of them.
        pairs: u32 = 1_000_000, Count 1..=100_000_000;
        /// Hosts of one client whose time is remembered individually; beyond it, the times of the hosts with the least
        /// time are added up.
        pairs_a_client: u32 = 64, Count 4..=1_000;
        /// Time that a node must be paired with nodes in each of two other wide address blocks (/16, /32) before it
        /// counts as proven; in a closed pool, any time is enough. Some limits apply only to nodes that are not proven.
        proven_ms: u64 = 10 * MINUTE, Time 1..=DAY;
        /// Time that a node must be paired with nodes in another wide address block (/16, /32) before it counts as paired, and is
        /// remembered for `prune_ms`; at most `proven_ms`. In a closed pool, any time is enough.
        paired_ms: u64 = MINUTE, Time 1..=DAY;
        /// The times at which agents were last seen are written to the store this often.
        flush_ms: u64 = 3 * MINUTE, Time SECOND..=HOUR;
        /// Leases of one client; a larger `want` is reduced to this, and the answer states this as the reason.
        leases_a_client: u32 = 64, Count 1..=1_000;
        /// Slots of one host; a host that offers more counts as offering this many. At most 1,000, so that one step can end all leases of a host.
        slots_a_host: u32 = 1_000, Count 1..=1_000;
        /// Slots of a host that speaks protocol 2, which has no field for them.
        slots_a_protocol2_host: u32 = 16, Count 1..=1_000;
        /// Hosts returned for one protocol 2 request; a larger number is reduced to this.
        max_request_hosts: u32 = 16, Count 1..=1_000;
        /// Peers that a protocol 2 node still has to disconnect; beyond it, the oldest are forgotten.
        invalid_peers: u32 = 1_024, Count 1..=10_000;
        /// How far a nonce (protocol 2, or HTTP) may be ahead of the pool's clock; beyond it, the call is refused.
        nonce_ahead_ms: u64 = 5 * MINUTE, Time SECOND..=HOUR;
        /// How far a nonce (protocol 2, or HTTP) may be behind the pool's clock; beyond it, the call is refused.
        nonce_behind_ms: u64 = 15 * MINUTE, Time SECOND..=DAY;
        /// How far the counter of a signed link may be behind the pool's clock; beyond it, the link is refused.
        link_age_ms: u64 = DAY, Time 1..=30 * DAY;
        /// Nodes that one account can pay for; further links are refused.
        nodes_an_account: u32 = 1_000, Count 1..=100_000;
        /// The smallest payout, in smallest units of the asset. Smaller amounts are carried over to the next settlement
        /// period.
        smallest_payout: u64 = 1, Count 1..=1_000_000_000_000_000_000;
        /// A price of a pool whose clients pay takes effect this long after it was announced: for new leases at once, for others
        /// with their next billing period. Less than a day is for development, and the pool warns about it.
        price_notice_ms: u64 = DAY, Time 0..=30 * DAY;
        /// A payout account other than a host's first one takes effect this long after the node key signed it; until
        /// then, the host's owner sees it and can cancel it.
        payout_delay_ms: u64 = DAY, Time 0..=30 * DAY;
        /// A host's payout account changes at most once in this time; a further one takes effect after it. The first one does not
        /// count.
        payout_change_ms: u64 = DAY, Time 0..=30 * DAY;
        /// Pending offers on a chain that clients in one address block (/24, /48) that are not proven may always hold
        /// while a slot is free on that chain. Beyond it, they may hold at most as many as slots remain free of those
        /// that clients in two wide blocks (/16, /32) have used at once (while no host on that chain has served a
        /// client: of twice as many slots as one client may be offered at once, see `extra_offers`); further requests
        /// for hosts are answered "busy". Clients in the wide block of the host itself do not count. The same limit
        /// applies separately to the offers and slots of the hosts in each wide block, with a minimum of one; beyond
        /// it, the clients get other hosts. Because offers of protocol 2 hosts last longer, it also applies separately
        /// to those, with half of the minimum.
        offers_minimum: u32 = 4, Count 1..=4_294_967_295;
        /// Nodes in `avoid`; the rest are ignored.
        avoid: u32 = 64, Count 0..=1_000;
        /// Hosts examined for one slot; the best compatible host gets the offer. See `compared_hosts`.
        candidates: u32 = 32, Count 1..=1_000;
        /// Compatible hosts that have served a client, after which no further `candidates` are examined for one slot.
        /// While no host on the chain has served a client, all compatible hosts count.
        compared_hosts: u32 = 8, Count 1..=1_000;
        /// Hosts examined for one slot if none of the first `candidates` is compatible; then the client waits.
        examined_hosts: u32 = 160, Count 1..=100_000;
        /// Combinations of capabilities, rules, and version of hosts, and hosts of compatible combinations, examined for one
        /// slot if none of the first `candidates` is compatible; then `examined_hosts` applies. The next search continues where the
        /// last one ended.
        examined_hosts_by_rules: u32 = 256, Count 1..=100_000;
        /// Combinations of capabilities, rules, and version of clients for which a chain is known to have no compatible
        /// host, remembered until a host with a new combination connects. An address block (/24, /48) and a wide block
        /// (/16, /32) may have at most as many as are still free; beyond its share, a block loses its oldest one.
        failed_searches: u32 = 1_024, Count 0..=1_000_000;
        /// If a client that the pool can call is not paired with its host after this time, it gets two further hosts in
        /// other address blocks; after twice this time four, and so on, provided that more slots are free than others
        /// need first: one for each waiting client in the same address block (/24, /48), one for each other block of
        /// the same wide block (/16, /32), and one for each other wide block with waiting clients. Clients that are not
        /// proven count for at most as many as they could be offered at once; see `offers_minimum`. Surplus leases end:
        /// those that connect last.
        extra_host_ms: u64 = SECOND, Time 100..=MINUTE;
        /// Offers that a client has at once beyond the number of hosts that it wants; see `extra_host_ms`. Clients in one address
        /// block that are not proven share them.
        extra_offers: u32 = 7, Count 0..=64;
        /// Offers on the hosts in one address block (/24, /48) that have never served a client in a wide block other
        /// than their own, as long as other hosts have: pending offers, and, for `same_address_ms`, offers that the
        /// host did not admit. A wide block (/16, /32) may have four times as many. For a client, all offers to clients
        /// in its own wide block count, but offers to clients in each other wide block count for at most a quarter of
        /// the limit. Further clients get other hosts.
        new_host_offers_a_block: u32 = 4, Count 1..=1_000_000;
        /// Connected hosts examined for one `vipnode_explain`; in a larger pool, the answer covers only this many.
        explained_hosts: u32 = 256, Count 1..=10_000;
        /// Leases for which the pool remembers how the host was selected (`vipnode_explain`), shared among the clients'
        /// address blocks like `recent_pairs`.
        explained_leases: u32 = 50_000, Count 0..=10_000_000;
        /// Deadlines processed in one step of the core; the rest wait for the next step.
        expiries_a_handle: u32 = 1_000, Count 1..=100_000;
        /// Hosts shown in a status.
        status_hosts: u32 = 1_000, Count 0..=100_000;
        /// Leases whose running periods are added up for a status; if there are more, it does not show them.
        status_leases: u32 = 10_000, Count 0..=1_000_000;
        /// Unknown leases in one report that the pool answers with an eviction; the rest are ignored.
        unknown_a_report: u32 = 16, Count 0..=1_000;
        /// Hosts tried one after another for one request; then it is answered with the hosts found so far.
        tries_an_ask: u32 = 8, Count 1..=100;
        /// Waiting clients that get an offer in one tick; the rest wait for the next tick.
        served_a_tick: u32 = 256, Count 1..=100_000;
        /// Steps of searches for the waiting clients that get an offer in one tick, and as many for the deadlines of leases in
        /// one tick; the rest waits for the next tick. A step looks at one host, or at one combination of capabilities,
        /// rules, and version.
        steps_a_tick: u32 = 1_000, Count 1..=10_000_000;
        /// The pool searches again for a waiting client after this time if it found no host, once a host has a free slot again,
        /// or once an offer to a client in the same address block is paired or ends. For a client that pays, at most one free trial
        /// ends in this time.
        retry_ms: u64 = 5 * SECOND, Time 100..=HOUR;
        /// A host that failed to admit a client gets no offers for this time, which doubles with each failure up to
        /// `max_host_backoff_ms`.
        host_backoff_ms: u64 = 2 * SECOND, Time 100..=HOUR;
        /// The longest time for which a host that failed to admit a client gets no offers; see `host_backoff_ms`.
        max_host_backoff_ms: u64 = 10 * MINUTE, Time 100..=DAY;
        /// How many times the pool resends an eviction that was refused or not answered in time. After the last
        /// refusal, the slot counts as free. If the agent did not answer, the pool closes its socket; the next connect
        /// reply then lists its current leases.
        evict_tries: u32 = 3, Count 0..=100;
        /// A host ranks lower, and gets no offers for `host_backoff_ms`, once proven clients of this many different wide
        /// address blocks (/16, /32) reported that it admitted them but did not connect; in a closed pool, once one member
        /// did. The time doubles with each further block or member up to `max_host_backoff_ms`. All of this ends when a
        /// client is next paired with the host.
        strike_reporters: u32 = 3, Count 1..=16;
        /// A host that immediately disconnected a light node is not assigned to light nodes in the same address block (/24,
        /// /48) for this time; while that applies to four blocks in a wide block (/16, /32), nor to those light nodes
        /// in the wide block that are not proven, and while it applies to eight, to none of the wide block. After each
        /// time, the host's slots for light nodes rest for 10 s, so by default, one wide block can keep them from
        /// others for 80 s in 5 minutes.
        light_block_ms: u64 = 5 * MINUTE, Time 0..=HOUR;
        /// An eviction that a host refused is sent again after this time, which doubles with each try up to 8 times this value.
        /// Until the eviction is done, its slot counts as taken.
        evict_again_ms: u64 = 2 * SECOND, Time 100..=MINUTE;
        /// If a host refuses a client because it is full or busy, one of its slots counts as taken for this time.
        refused_slot_ms: u64 = 2 * SECOND, Time 100..=MINUTE;
        /// Different chains that connected nodes are on. An address block (/24, /48) and a wide block (/16, /32) may
        /// add at most as many as are still free; at most four blocks in a wide block may always add 4. Chains of
        /// proven nodes and members do not count. Nodes on further chains are answered "busy".
        chains: u32 = 4_096, Count 1..=1_000_000;
        /// Different version strings of connected nodes, shared among address blocks as `chains` are; further ones are shown as
        /// empty.
        versions: u32 = 4_096, Count 1..=1_000_000;
        /// Characters of a version string; the rest is cut off.
        version_chars: u32 = 64, Count 8..=256;
        /// Capabilities of one node; the rest are ignored.
        capabilities: u32 = 32, Count 1..=64;
        /// Required capabilities of one node, and its minimum versions; only the node's agent checks the rest.
        rules: u32 = 8, Count 0..=64;
        /// Different sets of capabilities and rules of connected nodes, shared among address blocks as `chains` are; nodes with a
        /// further set are treated as if they had sent none.
        profiles: u32 = 4_096, Count 1..=1_000_000;
        /// Clients whose report of one host's capabilities is stored while they are connected; an address block may
        /// hold as many as are free. Further reports are ignored.
        observations_a_host: u32 = 8, Count 1..=64;
        /// The same for all hosts together (see `observations_a_host`); an address block may hold as many as are free.
        /// Further reports are ignored.
        observations: u32 = 32_768, Count 0..=10_000_000;
        /// Wide address blocks (/16, /32) whose clients must agree about a host before their reports count for clients
        /// in address blocks other than their own.
        observation_blocks: u32 = 2, Count 1..=16;
        /// Versions that a node rejected since it connected; beyond it, the oldest is forgotten.
        rejected_versions: u32 = 16, Count 1..=1_000;
        /// Recent offers, ended leases, and failed pairs of host and client that are remembered. Of each, the address block
        /// (/24, /48) of the client and its wide block (/16, /32) may have at most as many as are still free; beyond its share,
        /// a block loses its own oldest one. As many failed offers of hosts that have never served a client are
        /// remembered.
        recent_pairs: u32 = 1_000_000, Count 1..=100_000_000;
        /// Address blocks whose unpaired time is counted per day and whose billing periods are counted per hour, and as
        /// many wide blocks; clients in further blocks are counted by wide block, and those in further wide blocks by
        /// node only.
        unpaired_blocks: u32 = 1_000_000, Count 1..=100_000_000;
        /// A payer's remaining funds must last this long with its running leases and one more; otherwise, its clients get no
        /// further hosts. Once they are used up, the newest leases end until the funds last this long for the rest.
        funds_last_ms: u64 = 10 * MINUTE, Time 0..=30 * DAY;
        /// A client is notified once what its account has left lasts only this long with its running leases; 0 for no
        /// notice. It is notified again only after the account has had more.
        funds_notice_ms: u64 = DAY, Time 0..=30 * DAY;
        /// The same for a second notice.
        funds_second_notice_ms: u64 = HOUR, Time 0..=30 * DAY;
        /// The same for a last notice.
        funds_last_notice_ms: u64 = 10 * MINUTE, Time 0..=30 * DAY;
        /// Nodes in one address block (/24, /48) that begin or continue a free trial in one hour; a wide block (/16, /32) may have four
        /// times as many. Others get none before the next hour. A closed pool does not limit its members.
        trials_an_hour: u32 = 4, Count 0..=1_000_000;
        /// Address blocks whose trials are counted in one hour; nodes in further blocks get no trial in this hour.
        trial_blocks: u32 = 1_000_000, Count 1..=100_000_000;
        /// A client is notified once, when this much of its trial is left; 0 for no notice.
        trial_notice_ms: u64 = 5 * MINUTE, Time 0..=DAY;
        /// First vouchers for payment channels that are waiting until the deposit has been read from the chain; one
        /// agent has at most one. An address block (/24, /48) and a wide block (/16, /32) may have as many as are still
        /// free. Further ones are answered "busy".
        channel_reads: u32 = 256, Count 1..=1_000_000;
        /// A first voucher waits this long for its deposit to be read (see `channel_reads`); then it is answered
        /// "busy".
        channel_read_ms: u64 = 10 * SECOND, Time SECOND..=10 * MINUTE;
        /// A larger voucher for a payment channel is accepted at most once in this time; one that comes earlier is
        /// answered "busy".
        voucher_interval_ms: u64 = 5 * SECOND, Time 0..=HOUR;
        /// Claims in one epoch, the most valuable first; the others are left for the next epoch.
        epoch_rows: u32 = 10_000, Count 1..=1_000_000;
        /// Claims in one transaction. One claim that is not valid reverts the whole transaction, so more claims would
        /// save little gas and risk more.
        claim_rows: u32 = 25, Count 1..=250;
        /// A claim has to be worth this many times its gas, at the price of --chain.coin-price; otherwise, it is left for a later
        /// epoch.
        claim_worth: u32 = 100, Count 0..=1_000_000;
        /// The same for a channel with a pending withdrawal.
        withdrawal_worth: u32 = 2, Count 0..=1_000_000;
        /// If a pending withdrawal would take what a client signed for, the pool claims this long before the withdrawal
        /// can be completed, even between two epochs.
        withdrawal_notice_ms: u64 = 2 * DAY, Time 0..=30 * DAY;
        /// Transactions that contain one claim; if the chain still does not show it after that, the epoch ends without
        /// it. The transfer to the receiver is repeated as often; then the epoch stops.
        claim_attempts: u32 = 3, Count 1..=100;
        /// While an epoch is running, the pool reads the chain this often.
        chain_look_ms: u64 = 15 * SECOND, Time 100..=HOUR;
        /// The pool waits this long for an answer from the EVM node; then it asks again.
        chain_answer_ms: u64 = 10 * MINUTE, Time SECOND..=HOUR;
        /// A transaction that has not been included in a block after this time is sent again, with a fee that is one
        /// eighth higher.
        send_again_ms: u64 = 3 * MINUTE, Time SECOND..=DAY;
        /// How many times the fee of one transaction is raised; after that, the transaction is resent with the same
        /// fee.
        fee_bumps: u32 = 8, Count 0..=100;
        /// What a unit of gas may cost, in gwei (10^9 wei). While it costs more, an epoch sends nothing, and reports that.
        gas_price_gwei: u64 = 200, Count 1..=1_000_000;
        /// What the transactions of one epoch may cost, in gwei (10^9 wei). Beyond it, the epoch sends nothing more until the limit is
        /// raised, and reports that.
        epoch_gas_gwei: u64 = 100_000_000, Count 1..=1_000_000_000_000;
        /// Leases without funds that end in one step; further ones end in the next.
        unfunded_a_tick: u32 = 1_000, Count 1..=1_000_000;
        /// An agent whose client cannot pay asks for hosts again after this time.
        unfunded_retry_ms: u64 = 10 * SECOND, Time SECOND..=HOUR;
        /// Unpaid costs of earlier billing periods that a payer's newer credit covers in one tick.
        collected_a_tick: u32 = 1_000, Count 1..=1_000_000;
        /// Admin commands whose idempotency key is remembered, until their entries are removed from the ledger
        /// (`vipnode pool prune`). Further commands with a key are refused.
        order_keys: u32 = 1_000_000, Count 1..=100_000_000;
        /// Payouts that one step marks as paid (`vipnode pool admin payout paid-all`); the command marks the others in further
        /// steps.
        payouts_a_step: u32 = 1_000, Count 1..=100_000;
        /// Nodes checked in one tick for removal.
        swept_a_tick: u32 = 64, Count 1..=100_000;
        /// Nodes remembered. An address block (/24, /48) and a wide block (/16, /32) may have at most as many as are
        /// still free; at most four blocks in a wide block may always have 4. Members of a closed pool share the whole.
        /// New nodes beyond it are answered "busy".
        nodes: u32 = 4_000_000, Count 1..=100_000_000;
        /// Nodes remembered that have never been paired for `paired_ms`, shared like `nodes`. They are forgotten
        /// `nonce_ahead_ms` plus `nonce_behind_ms` after they left, and not before the end of a day on which they used
        /// unpaired time, unless they used a part of a free trial. New nodes beyond it are answered "busy".
        never_paired_nodes: u32 = 200_000, Count 1..=100_000_000;
        /// Forgotten nodes that used more than one delegation, and whose newest delegation the pool remembers, shared
        /// like `nodes`. Nodes that have never been paired for `paired_ms` count from their second delegation on; if no
        /// room is left, the pool answers "busy". A paired node beyond the share of its address block is not forgotten.
        delegations: u32 = 100_000, Count 1..=100_000_000;
        /// A node that has been paired for `paired_ms` and has no lease is forgotten if it has not been seen for this
        /// long.
        prune_ms: u64 = 30 * DAY, Time HOUR..=3_650 * DAY;
    }
    also {
        /// The price of a slot.
        price: Price = Price::FREE;
        /// How clients pay.
        payment: PaymentMode = PaymentMode::None;
        /// What the payment channels of clients must be, if they pay with x402.
        channel: Option<ChannelTerms> = None;
        /// How the pool claims on its own, if it has the key of the claimer.
        epoch: Option<EpochTerms> = None;
        /// The operator's fee, in basis points of what clients pay.
        fee_bps: u16 = 0;
        /// How long a node that cannot pay is served for free as a client, in milliseconds; 0 for no trial.
        trial_ms: u64 = 0;
        /// Whether the pool admits only members. The addresses that members claim are then trusted.
        members_only: bool = false;
        /// Chains whose genesis block is known to the operator: nodes that name a different one for the same chain ID
        /// are refused.
        pinned_chains: Vec<ChainSpec> = Vec::new();
    }
}

impl Limits {
    /// The ID of the chain on which clients deposit; 0 if they do not.
    pub(crate) fn chain_id(&self) -> u64 {
        self.channel.map_or(0, |channel| channel.chain_id)
    }

    /// The chain that is pinned for a chain ID.
    #[must_use]
    pub fn pinned_chain(&self, id: u64) -> Option<ChainSpec> {
        self.pinned_chains.iter().copied().find(|chain| chain.chain_id == id)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::PoolLimits;

    #[test]
    fn each_default_is_in_its_range_and_each_name_is_there_once() {
        let (core, gateway) = (Limits::default(), PoolLimits::default());
        let core = Limits::TABLE.iter().map(|row| (row.name, (row.get)(&core), &row.range, row.rule));
        let gateway = PoolLimits::TABLE.iter().map(|row| (row.name, (row.get)(&gateway), &row.range, row.rule));
        let mut names = BTreeSet::new();
        for (name, default, range, rule) in core.chain(gateway) {
            assert!(range.contains(&default), "{name}: {default}");
            assert!(rule.len() > 10 && rule.ends_with('.'), "{name}: {rule}");
            assert!(names.insert(name), "{name} twice");
        }
    }
}
