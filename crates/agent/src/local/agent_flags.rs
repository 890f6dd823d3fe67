use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

/// The flags that an agent runs with, as its status reports them. They change when the agent reads its settings again, for all
/// that have a clone.
#[derive(Debug, Clone, Default)]
pub struct AgentFlags(Arc<Mutex<BTreeMap<String, Vec<String>>>>);

impl AgentFlags {
    /// Reports these flags from now on: for each name without `--`, its values. They must contain no secrets.
    pub fn set(&self, flags: BTreeMap<String, Vec<String>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = flags;
    }

    pub(crate) fn get(&self) -> BTreeMap<String, Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
