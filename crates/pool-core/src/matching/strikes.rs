use std::collections::BTreeMap;

use crate::{Limits, collections::address_block::WideBlock, matching::Context};

/// Those that say that a host admits clients and then stays silent, each once, by the host's index.
///
/// A client can cause that too: it need only not dial. So only proven clients count, and only together: a host ranks lower
/// and rests once clients in three different wide address blocks (/16, /32) agree. No stranger and no single operator
/// ruins the rank of a host, however many blocks a provider holds. In a closed pool, the word of any member counts alone: its operator knows the members. No block and no member
/// counts twice before the host is connected with such a client again, so a client that cannot dial anybody rests each
/// host once.
#[derive(Debug, Default)]
pub(in crate::matching) struct Strikes(BTreeMap<u32, Vec<StrikeReporter>>);

impl Strikes {
    /// Counts a reporter against a host. Returns the number of reporters; zero if this one counted before. Beyond as many
    /// as rest a host for the longest time, the oldest may count again.
    pub(in crate::matching) fn count(&mut self, host: u32, reporter: StrikeReporter, limits: &Limits) -> usize {
        let reporters = self.0.entry(host).or_default();
        if reporters.contains(&reporter) {
            return 0;
        }
        let longest = limits
            .max_host_backoff_ms
            .checked_div(limits.host_backoff_ms.max(1))
            .unwrap_or(0)
            .checked_ilog2()
            .unwrap_or(0);
        let most = reporters_needed(limits).saturating_add(longest as usize).saturating_add(1);
        if reporters.len() >= most {
            reporters.remove(0);
        }
        reporters.push(reporter);
        reporters.len()
    }

    /// The number of reporters against a host.
    pub(in crate::matching) fn reporters(&self, host: u32) -> usize {
        self.0.get(&host).map_or(0, Vec::len)
    }

    /// Forgets what was said of a host.
    pub(in crate::matching) fn forget(&mut self, host: u32) {
        self.0.remove(&host);
    }
}

/// The source of a statement about a host. Members of a closed pool may all sit behind one address, so each counts for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::matching) enum StrikeReporter {
    Block(WideBlock),
    Member(u32),
}

/// The reporter that a client is, if its word counts.
pub(in crate::matching) fn reporter(client: u32, context: Context<'_>) -> Option<StrikeReporter> {
    let Context { agents, limits, .. } = context;
    let address = agents.address(client)?;
    if limits.members_only {
        return Some(StrikeReporter::Member(client));
    }
    agents.is_proven(client).then(|| StrikeReporter::Block(WideBlock::of(address)))
}

/// How many reporters it takes.
pub(in crate::matching) const fn reporters_needed(limits: &Limits) -> usize {
    if limits.members_only { 1 } else { limits.strike_reporters as usize }
}
