use vipnode_agent_core::Action;
use vipnode_pool_core::Effect;

use super::{Encode, Encoder};

/// The effects of both cores in one run: a digest of all and, where a caller reads them, one line for each.
#[derive(Debug)]
pub(crate) struct EffectLog {
    encoder: Encoder,
    count: u64,
    lines: Vec<String>,
}

/// The core that an effect comes from.
#[derive(Debug, Clone, Copy)]
enum EffectOrigin {
    /// What the pool core emitted.
    Pool,
    /// That of the agent with this index.
    Agent(usize),
}

impl EffectLog {
    /// A log without an effect; a `readable` one keeps a line for each effect.
    pub(crate) fn new(readable: bool) -> Self {
        Self { encoder: Encoder::new(readable), count: 0, lines: Vec::new() }
    }

    /// Takes in the effects of the pool's core.
    pub(crate) fn pool(&mut self, now_ms: u64, effects: &[Effect]) {
        for effect in effects {
            self.take(now_ms, EffectOrigin::Pool, effect);
        }
    }

    /// Takes in the actions of an agent's core.
    pub(crate) fn agent(&mut self, now_ms: u64, agent: usize, actions: &[Action]) {
        for action in actions {
            self.take(now_ms, EffectOrigin::Agent(agent), action);
        }
    }

    /// How many effects there were.
    pub(crate) const fn count(&self) -> u64 {
        self.count
    }

    /// The digest of all of them, in their order.
    pub(crate) const fn digest(&self) -> u64 {
        self.encoder.digest()
    }

    /// A line for each effect: the time in ms, 0 for the pool or the index of the agent plus 1, then the encoding.
    pub(crate) fn take_lines(&mut self) -> Vec<String> {
        std::mem::take(&mut self.lines)
    }

    fn take(&mut self, now_ms: u64, origin: EffectOrigin, effect: &impl Encode) {
        self.count += 1;
        self.encoder.number(now_ms);
        match origin {
            EffectOrigin::Pool => self.encoder.number(0),
            EffectOrigin::Agent(agent) => self.encoder.number(agent as u64 + 1),
        }
        effect.encode(&mut self.encoder);
        if let Some(mut line) = self.encoder.take_text() {
            line.truncate(line.trim_end().len());
            self.lines.push(line);
        }
    }
}
