use std::ops::RangeInclusive;

use vipnode_pool_core::{LimitUnit, Limits, PoolLimits};

use crate::PoolConfig;

/// One limit with its value in a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitSetting {
    /// Name by which `--limit` sets it.
    pub name: &'static str,
    /// The unit of its values.
    pub unit: LimitUnit,
    /// The value in this pool.
    pub value: u64,
    /// Its default value.
    pub default: u64,
    /// The values that it may have.
    pub range: RangeInclusive<u64>,
    /// What it limits, and what happens at the limit.
    pub rule: &'static str,
}

impl PoolConfig {
    /// Every limit, as it is set; first the gateway's, then the core's.
    #[must_use]
    pub fn limit_settings(&self) -> Vec<LimitSetting> {
        let (gateway, core) = (PoolLimits::default(), Limits::default());
        let mut settings = Vec::with_capacity(PoolLimits::TABLE.len() + Limits::TABLE.len());
        settings.extend(PoolLimits::TABLE.iter().map(|row| LimitSetting {
            name: row.name,
            unit: row.unit,
            value: (row.get)(&self.limits),
            default: (row.get)(&gateway),
            range: row.range.clone(),
            rule: row.rule.trim(),
        }));
        settings.extend(Limits::TABLE.iter().map(|row| LimitSetting {
            name: row.name,
            unit: row.unit,
            value: (row.get)(&self.core),
            default: (row.get)(&core),
            range: row.range.clone(),
            rule: row.rule.trim(),
        }));
        settings
    }

    /// Sets a limit of [`PoolConfig::limit_settings`] to a value in its range; false where there is no such
    /// limit, or the value is beyond its range.
    #[must_use]
    pub fn set_limit(&mut self, name: &str, value: u64) -> bool {
        if let Some(row) = PoolLimits::TABLE.iter().find(|row| row.name == name && row.range.contains(&value)) {
            (row.set)(&mut self.limits, value);
            return true;
        }
        let row = Limits::TABLE.iter().find(|row| row.name == name && row.range.contains(&value));
        if let Some(row) = row {
            (row.set)(&mut self.core, value);
        }
        row.is_some()
    }
}
