use std::collections::BTreeSet;

use vipnode_types::{Capability, PeerRules};

use crate::{Limits, flows::connect::Hello};

/// What a node serves and what it wants of others; many nodes share one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct Profile {
    pub(crate) serves: Box<[Capability]>,
    pub(crate) rules: PeerRules,
}

impl Profile {
    /// What an agent said, cut to the limits; equal words in another order are one.
    pub(crate) fn said(said: &Hello<'_>, limits: &Limits) -> Self {
        let serves: BTreeSet<&Capability> = said.serves.iter().take(limits.capabilities as usize).collect();
        let most = limits.rules as usize;
        let need = said.need.iter().take(most).cloned().collect();
        let rules = PeerRules { need, min_versions: said.min_versions.iter().take(most).cloned().collect() };
        Self { serves: serves.into_iter().cloned().collect(), rules }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.serves.is_empty() && self.rules.is_empty()
    }

    /// With what others saw of it, at most `most` in all: versions of what it names itself, or anything where it
    /// names nothing. `None` where that is nothing new.
    pub(crate) fn seen(&self, caps: &[Capability], most: usize) -> Option<Self> {
        let mut set: BTreeSet<&Capability> = self.serves.iter().collect();
        for cap in caps.iter().take(most) {
            let named = self.serves.is_empty() || self.serves.iter().any(|own| own.name() == cap.name());
            if named && set.len() < most {
                set.insert(cap);
            }
        }
        let news = set.len() > self.serves.len();
        news.then(|| Self { serves: set.into_iter().cloned().collect(), rules: self.rules.clone() })
    }
}
