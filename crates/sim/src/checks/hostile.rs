//! Bounds that hold whatever strangers do.

use vipnode_pool_core::{Gauges, Limits};

use super::{Promise, Violation};

/// An honest client has a host after at most this time without one, in ms, while honest hosts have free slots.
pub const HONEST_WAIT_MS: u64 = 60_000;
/// An honest block's command waits for the core for at most this time, in µs.
pub const CORE_WAIT_US: u64 = 20_000;
/// What a host may see of a client beyond the bounds of the budget: a report interval and a late frame, in ms.
const LATE_MS: u64 = 60_000 + 8_000;

/// Since when an honest client has no host.
#[derive(Debug, Clone, Copy, Default)]
pub struct Loneliness {
    since: Option<u64>,
}

impl Loneliness {
    /// Notes whether a client has a host at virtual time `now` in ms.
    ///
    /// # Errors
    /// [`Promise::HonestService`]: it has been without one for too long.
    pub fn note(&mut self, client: usize, has_host: bool, now: u64) -> Result<(), Violation> {
        let since = *self.since.get_or_insert(now);
        if has_host {
            self.since = None;
        } else if now - since > HONEST_WAIT_MS {
            return Promise::HonestService.broken(format!("client {client} has no host for {} ms", now - since));
        }
        Ok(())
    }
}

/// Checks what a client used without being billed, on one day.
///
/// # Errors
/// [`Promise::FreeService`]: more than its budget and what each of `hosts` may lose by a client.
pub fn free_service(
    client: usize,
    served_ms: u64,
    billed_ms: u64,
    hosts: u64,
    limits: &Limits,
) -> Result<(), Violation> {
    let free = served_ms.saturating_sub(billed_ms);
    let a_pair = limits.silence_ms + limits.unpaired_pair_ms + LATE_MS;
    let part = billed_ms * u64::from(limits.unpaired_percent) / 100;
    let most = limits.unpaired_ms_a_day + 2 * part + hosts * a_pair;
    if free > most {
        return Promise::FreeService
            .broken(format!("client {client} was served {served_ms} ms, {free} of them free; at most {most} may be"));
    }
    Ok(())
}

/// Checks the sizes of the core's tables, with `honest` agents.
///
/// # Errors
/// [`Promise::Tables`]: one is larger than its limits allow.
pub fn tables(gauges: &Gauges, honest: u64, limits: &Limits) -> Result<(), Violation> {
    let most_nodes = u64::from(limits.strangers) + honest;
    let most_deadlines = 16 * (most_nodes + gauges.leases) + 1_000;
    let sizes = [
        ("nodes", gauges.nodes, most_nodes),
        ("waiting clients", gauges.waiting, gauges.nodes),
        ("deadlines", gauges.deadlines, most_deadlines),
    ];
    match sizes.into_iter().find(|(_, size, most)| size > most) {
        Some((what, size, most)) => Promise::Tables.broken(format!("{size} {what}; at most {most} may be")),
        None => Ok(()),
    }
}

/// Checks how long a command of an honest agent waited for the core, in µs.
///
/// # Errors
/// [`Promise::CoreWait`]: too long.
pub fn core_wait(agent: usize, waited_us: u64) -> Result<(), Violation> {
    if waited_us > CORE_WAIT_US {
        return Promise::CoreWait.broken(format!("a command of agent {agent} waited {waited_us} µs for the core"));
    }
    Ok(())
}
