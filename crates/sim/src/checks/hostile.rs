//! Bounds that hold whatever attackers do.

use std::net::IpAddr;

use vipnode_pool_core::{Gauges, Limits};

use super::{Promise, Violation};

/// An honest client has a host after at most this time without one, in ms, while honest hosts have free slots. Where the honest
/// hosts have fewer slots than honest clients want, others may hold them in turn for longer.
pub const HONEST_WAIT_MS: u64 = 60_000;
/// After an offer ended without a connection, its slot is offered to the next client within this time, in ms: its host evicts the
/// client first.
pub const RELEASE_MS: u64 = 5_000;
/// An honest block's command waits for the core for at most this time, in µs.
pub const CORE_WAIT_US: u64 = 20_000;
/// The longest time a frame takes, and a node to notice that a connection ended, in ms.
const FRAME_MS: u64 = 8_000;
/// After a restart of the pool, each agent is connected again within this time, in ms: a dead connection is noticed after
/// at most 60 s, and the next attempt follows soon.
pub const RECONNECT_MS: u64 = 60_000 + 15_000;
/// Free riders of one wide block (/16, /32) together may use as much as so many address blocks (/24, /48).
pub const BUDGETS_OF_A_WIDE_BLOCK: u64 = 4;
/// An honest protocol-3 client shall have a host after this time, in ms, in 99 of 100 cases.
const PROMPT_MS: u64 = 3_000;

/// How long honest clients waited for a host, while all honest hosts were connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HostWaits {
    /// Waits that ended.
    pub all: u64,
    /// Waits of more than 3 s.
    pub late: u64,
}

/// Since when an honest client has no host.
#[derive(Debug, Clone, Copy, Default)]
pub struct Loneliness {
    since: Option<u64>,
    /// The same, but only while all honest hosts are connected.
    prompt_since: Option<u64>,
}

impl Loneliness {
    /// Notes whether a client has a host at virtual time `now` in ms; it may be without one for `most_ms`.
    ///
    /// # Errors
    /// [`Promise::HonestService`]: it has been without one for too long.
    pub fn note(&mut self, client: usize, has_host: bool, most_ms: u64, now: u64) -> Result<(), Violation> {
        let since = *self.since.get_or_insert(now);
        if has_host {
            self.since = None;
        } else if now - since > most_ms {
            return Promise::HonestService.broken(format!("client {client} has no host for {} ms", now - since));
        }
        Ok(())
    }

    /// Counts a wait that ends now, in virtual ms. It lasts while a client has no host and all honest hosts are connected.
    /// Returns how long it took if that was too long.
    pub fn count(&mut self, has_host: bool, can_have: bool, now: u64, waits: &mut HostWaits) -> Option<u64> {
        if has_host && let Some(since) = self.prompt_since.take() {
            let waited_ms = now - since;
            waits.all += 1;
            waits.late += u64::from(waited_ms > PROMPT_MS);
            return (waited_ms > PROMPT_MS).then_some(waited_ms);
        }
        if has_host || !can_have {
            self.prompt_since = None;
        } else {
            self.prompt_since.get_or_insert(now);
        }
        None
    }

    /// The pool restarted, and the client or honest hosts are not connected again.
    pub const fn excuse(&mut self) {
        (self.since, self.prompt_since) = (None, None);
    }
}

/// What a client used of one honest host.
#[derive(Debug, Clone, Copy)]
pub struct UsedService {
    /// How long the two were connected while the host had a lease with the client, in ms.
    pub served_ms: u64,
    /// How much of that was billed, in ms.
    pub billed_ms: u64,
    /// How much of it crashes of the pool lost, in ms.
    pub lost_ms: u64,
    /// Whether the client speaks protocol 2, and whether the host does.
    pub protocol2: [bool; 2],
}

impl UsedService {
    fn free_ms(&self) -> u64 {
        self.served_ms.saturating_sub(self.billed_ms + self.lost_ms)
    }

    fn part_ms(&self, limits: &Limits) -> u64 {
        self.billed_ms * u64::from(limits.unpaired_percent) / 100
    }

    /// After how much unpaired time the pool keeps the two apart, in ms, without the part of what was billed.
    fn allowance_ms(&self, limits: &Limits) -> u64 {
        let late = if self.protocol2.contains(&true) { 2 * limits.report_interval_ms } else { 0 };
        limits.silence_ms + limits.unpaired_pair_ms + late
    }

    /// How much later the client is disconnected, in ms: unpaired time is counted when a row ends, which is once the client
    /// has been silent for too long, and a host of protocol 2 hears of it with its next update only.
    fn notice_ms(&self, limits: &Limits) -> u64 {
        let update = if self.protocol2[1] { limits.report_interval_ms + FRAME_MS } else { 0 };
        limits.silence_ms + FRAME_MS + update
    }
}

/// The address block (/24, /48) and the wide block (/16, /32) of an address, as its first bytes.
#[must_use]
pub fn networks(ip: IpAddr) -> [Vec<u8>; 2] {
    let (bytes, sizes) = match ip {
        IpAddr::V4(ip) => (ip.octets().to_vec(), [3, 2]),
        IpAddr::V6(ip) => (ip.octets().to_vec(), [6, 4]),
    };
    sizes.map(|size| bytes[..size].to_vec())
}

/// What a client may use for nothing before it pays, in ms.
const fn trial_ms(limits: &Limits) -> u64 {
    limits.trial_ms
}

/// Checks what a client used of honest hosts without being billed, on one day. Each of them is in another wide block.
///
/// # Errors
/// [`Promise::FreeService`]: of one host more than the pair may, or of all together more than the client may.
pub fn free_service(client: usize, hosts: &[UsedService], limits: &Limits) -> Result<(), Violation> {
    for service in hosts {
        let most =
            service.allowance_ms(limits) + service.part_ms(limits) + service.notice_ms(limits) + trial_ms(limits);
        if service.free_ms() > most {
            return Promise::FreeService.broken(format!(
                "client {client} used one host for {} ms, {} of them free; at most {most} may be",
                service.served_ms,
                service.free_ms()
            ));
        }
    }
    let sum = |of: &dyn Fn(&UsedService) -> u64| hosts.iter().map(of).sum::<u64>();
    let part = sum(&|service| service.part_ms(limits));
    // Hosts in one wide block count for a part of the budget, so that it takes several to lock a client out.
    let blocks = u64::from(limits.lockout_blocks);
    let pair = hosts.iter().map(|service| service.allowance_ms(limits)).max().unwrap_or(0);
    let alone = (limits.unpaired_ms_a_day + part).div_ceil(blocks);
    let most = (blocks - 1) * pair + alone + part + sum(&|service| service.notice_ms(limits)) + trial_ms(limits);
    let free = sum(&UsedService::free_ms);
    if free > most {
        return Promise::FreeService.broken(format!(
            "client {client} was served {} ms, {free} of them free; at most {most} may be",
            sum(&|service| service.served_ms)
        ));
    }
    Ok(())
}

/// Checks what a client that nobody pays for used of honest hosts on one day, whatever it reported: no more than a trial, what a report
/// comes late, and as much as it could use without a trial.
///
/// # Errors
/// [`Promise::FreeService`]: it used more.
pub fn trial_service(client: usize, hosts: &[UsedService], limits: &Limits) -> Result<(), Violation> {
    let used: u64 = hosts.iter().map(|service| service.served_ms.saturating_sub(service.lost_ms)).sum();
    let most = limits.trial_ms + limits.report_interval_ms + limits.unpaired_ms_a_day;
    if used > most {
        return Promise::FreeService
            .broken(format!("client {client}, for which nobody pays, was served {used} ms; at most {most} may be"));
    }
    Ok(())
}

/// Checks what free riders of one provider used of honest hosts without being billed, on one day: those of an address block
/// (/24) with one budget, those of all its blocks with four. Riders that were billed for as long as one budget count alone.
///
/// # Errors
/// [`Promise::FreeService`]: together, they used more than they may.
pub fn free_service_of_block(budgets: u64, riders: &[Vec<UsedService>], limits: &Limits) -> Result<(), Violation> {
    let billed = |used: &&Vec<UsedService>| used.iter().map(|service| service.billed_ms).sum::<u64>();
    let counted = riders.iter().filter(|used| billed(used) < limits.unpaired_ms_a_day).flatten();
    let (mut free, mut notice) = (0, 0);
    for service in counted {
        free += service.free_ms();
        notice += service.notice_ms(limits);
    }
    let blocks = u64::from(limits.lockout_blocks);
    let alone = (budgets * limits.unpaired_ms_a_day).div_ceil(blocks);
    // Hosts in one wide block count for a part of the budget, but one pair may use more.
    let pair = limits.silence_ms + limits.unpaired_pair_ms + 2 * limits.report_interval_ms;
    let most = (blocks - 1) * alone.max(pair) + alone + notice + riders.len() as u64 * trial_ms(limits);
    if free > most {
        let count = riders.len();
        return Promise::FreeService.broken(format!(
            "{count} clients of one provider used {free} ms free with {budgets} budgets; at most {most} may be"
        ));
    }
    Ok(())
}

/// Checks the sizes of the core's tables, with `honest` agents.
///
/// # Errors
/// [`Promise::Tables`]: one is larger than its limits allow.
pub fn tables(gauges: &Gauges, honest: u64, limits: &Limits) -> Result<(), Violation> {
    let most_nodes = u64::from(limits.never_paired_nodes) + honest;
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
