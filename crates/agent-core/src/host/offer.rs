use vipnode_types::{Ms, errors};

use crate::{Action, AgentCore, HostConfig, Notice, limits};

errors! {
    /// Why a host may not start as it is configured.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum HostConfigError {
        /// The host offers more slots than the node has room for next to its own peers.
        TooMany {
            /// Slots to sell.
            slots: u32,
            /// Slots that `--allow` gives away.
            allowed: Allowed,
            /// Slots kept for the node's own peers.
            reserve: u32,
            /// The node's limit of peers.
            node_max_peers: u32,
            /// How many would fit.
            most: u32,
        }: local, "--slots {slots}{allowed} does not fit: the node takes --node-max-peers {node_max_peers} peers and \
                   --reserve {reserve} are kept for its own, so at most {most} can be sold or given. A trusted client \
                   takes a slot in the node's peer table, and a node whose table is full dials nobody",
            hint "Lower --slots, take clients out of --allow, or raise the node's own --maxpeers and pass the same number \
                  with --node-max-peers.";
        /// The host offers more slots than one agent can hold.
        Limit {
            /// Slots to sell.
            slots: u32,
            /// Slots that `--allow` gives away.
            allowed: Allowed,
            /// The limit.
            most: u32,
        }: local, "--slots {slots}{allowed} is more than one agent holds, which is {most}", hint "Lower --slots.";
    }
}

/// Places that `--allow` gives away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowed(pub u32);

impl std::fmt::Display for Allowed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            0 => Ok(()),
            1 => f.write_str(" with the client of --allow"),
            more => write!(f, " with {more} clients of --allow"),
        }
    }
}

impl HostConfig {
    /// Whether the places to sell, and those that are given to clients that the user named, fit beside the node's own
    /// peers.
    ///
    /// # Errors
    /// The numbers, the reason and the flags that fix it.
    pub const fn check(&self, allowed: u32) -> Result<(), HostConfigError> {
        let (slots, reserve, node_max_peers) = (self.slots, self.reserve, self.node_max_peers);
        let (needed, most) = (slots.saturating_add(allowed), self.room());
        if needed > most {
            return Err(HostConfigError::TooMany { slots, allowed: Allowed(allowed), reserve, node_max_peers, most });
        }
        if needed > limits::SLOTS {
            return Err(HostConfigError::Limit { slots, allowed: Allowed(allowed), most: limits::SLOTS });
        }
        Ok(())
    }

    /// Places that are ever sold at once.
    pub(crate) fn places(&self, allowed: u32) -> u32 {
        self.slots.min(self.room().min(limits::SLOTS).saturating_sub(allowed))
    }

    const fn room(&self) -> u32 {
        self.node_max_peers.saturating_sub(self.reserve)
    }
}

impl AgentCore {
    /// Places offered in all, and why none.
    pub(crate) fn offer(&self, now: Ms) -> (u32, Option<String>) {
        let Some(host) = &self.config.host else { return (0, None) };
        match self.offers_nothing(host, now) {
            Some(why) => (0, Some(why)),
            None => (host.places(self.config.direct.allowed()), None),
        }
    }

    fn offers_nothing(&self, host: &HostConfig, now: Ms) -> Option<String> {
        let facts = self.node.facts.as_ref().filter(|_| self.node.up);
        if self.stopping.is_some() {
            return Some("the host stops".to_owned());
        }
        let Some(facts) = facts else {
            return Some("the host's node is away".to_owned());
        };
        if !facts.full {
            return Some("the node is no full node, and only those serve others".to_owned());
        }
        let Some(head) = self.node.head else {
            return Some("the node has not told its newest block yet".to_owned());
        };
        // geth calls itself syncing for as long as its head is genesis.
        let at_rest = host.max_head_age_s.is_none() && head.fact.number == 0;
        if head.fact.syncing && !at_rest {
            return Some("the node is not in sync".to_owned());
        }
        let most_s = host.max_head_age_s?;
        let late = head.age_ms(now) > most_s.saturating_mul(1_000);
        late.then(|| {
            format!(
                "the node's newest block is older than {most_s} s, so it is not in sync (--max-head-age; \"off\" for a \
                 chain that stands still)"
            )
        })
    }

    /// When the newest block becomes too old.
    pub(crate) fn head_due(&self) -> Option<Ms> {
        let most_ms = self.config.host.as_ref()?.max_head_age_s?.saturating_mul(1_000);
        let head = self.node.head?;
        let due = head.told.plus(most_ms.saturating_sub(head.age_ms)).plus(1);
        (due > self.now).then_some(due)
    }

    /// Tells the user once when the offer changes.
    pub(crate) fn say_offer(&mut self, now: Ms, out: &mut Vec<Action>) {
        if !self.config.pool || self.config.host.is_none() || self.node.facts.is_none() || self.stopping.is_some() {
            return;
        }
        // Just started or just back: the newest block comes in a moment, and nothing is worth saying before.
        if self.node.up && self.node.head.is_none() {
            return;
        }
        let offer = self.offer(now);
        if self.offer_said.as_ref() != Some(&offer) {
            out.push(Action::Notice(Notice::Offering { slots: offer.0, why: offer.1.clone() }));
            self.offer_said = Some(offer);
        }
    }
}
