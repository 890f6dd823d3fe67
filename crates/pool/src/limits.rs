use vipnode_types::{LimitSetting, LimitSettings};

use crate::PoolConfig;

/// First the gateway's limits, then the core's.
impl LimitSettings for PoolConfig {
    fn limit_settings(&self) -> Vec<LimitSetting> {
        [self.limits.limit_settings(), self.core.limit_settings()].concat()
    }

    fn set_limit(&mut self, name: &str, value: u64) -> bool {
        self.limits.set_limit(name, value) || self.core.set_limit(name, value)
    }
}
