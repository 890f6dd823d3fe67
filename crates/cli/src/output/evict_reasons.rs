use vipnode_agent_core::EvictionCause;
use vipnode_types::wire::EvictReason;

/// Of a lease that the pool no longer has: the agent does not know which of the two it was.
const UNKNOWN: &str = "the pool no longer has this lease: it ended the lease earlier, or was restored from a backup";

/// Returns why a client was evicted, for its host.
pub(super) const fn why_evicted(cause: EvictionCause) -> &'static str {
    match cause {
        EvictionCause::Ended(reason) => why_ended(reason),
        EvictionCause::Stopping => "this host is stopping",
        EvictionCause::Unreported => "its agent did not report the connection",
    }
}

/// Returns why the lease of a client ended, for its host.
const fn why_ended(reason: EvictReason) -> &'static str {
    match reason {
        EvictReason::Left => "it left",
        EvictReason::Disconnected => "the connection was lost",
        EvictReason::NoReports => "its agent stopped reporting",
        EvictReason::NotConnected => "it did not connect in time",
        EvictReason::Unsuitable => "one side rejects the other's version or capabilities",
        EvictReason::Drained => "the host withdrew its slots",
        EvictReason::Price => "one side does not accept the price",
        EvictReason::Unpaired => "its agent did not report while its node used the slot",
        EvictReason::NoFunds => "the account that pays for it has too little left",
        EvictReason::NoPayer => "no account pays for it anymore",
        EvictReason::PaymentChanged => "the pool changed how clients pay",
        EvictReason::TrialOver => "its free trial is over",
        EvictReason::PayersFirst => "a paying client needed the slot that it used for its free trial",
        EvictReason::Banned => "the operator of the pool banned it, or this host",
        EvictReason::TooLate => "this host responded too late, and the client got other slots in the meantime",
        EvictReason::Unknown => UNKNOWN,
        EvictReason::Other => "the pool gave a reason that this release does not know",
    }
}

/// Returns why the pool ended the lease with a host, for its client.
pub(super) const fn why_lost(reason: EvictReason) -> &'static str {
    match reason {
        EvictReason::Left => "one side left",
        EvictReason::Disconnected => "the connection was lost",
        EvictReason::NoReports => "an agent stopped reporting",
        EvictReason::NotConnected => "the nodes did not connect in time",
        EvictReason::Unsuitable => "one side rejects the other's version or capabilities",
        EvictReason::Drained => "it withdrew its slots",
        EvictReason::Price => "one side does not accept the price",
        EvictReason::Unpaired => "this agent did not report while its node used the slot",
        EvictReason::NoFunds => "the account that pays for this node has too little left",
        EvictReason::NoPayer => "no account pays for this node anymore",
        EvictReason::PaymentChanged => "the pool changed how clients pay",
        EvictReason::TrialOver => "the free trial of this node is over",
        EvictReason::PayersFirst => "a paying client needed the slot of this node's free trial",
        EvictReason::Banned => "the operator of the pool banned it, or this node",
        EvictReason::TooLate => "it responded too late, and this node has other slots",
        EvictReason::Unknown => UNKNOWN,
        EvictReason::Other => "the pool gave a reason that this release does not know",
    }
}
