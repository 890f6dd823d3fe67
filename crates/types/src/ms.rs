use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};

/// A point in time: milliseconds since the Unix epoch.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Ms(u64);

impl Ms {
    /// The Unix epoch.
    pub const ZERO: Self = Self(0);
    /// Later than every deadline.
    pub const NEVER: Self = Self(u64::MAX);

    /// The time that many milliseconds after the Unix epoch.
    #[must_use]
    pub const fn new(ms: u64) -> Self {
        Self(ms)
    }

    /// Returns the milliseconds since the Unix epoch.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// `ms` later; saturates at [`Ms::NEVER`].
    #[must_use]
    pub const fn plus(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// `ms` earlier; saturates at [`Ms::ZERO`].
    #[must_use]
    pub const fn minus(self, ms: u64) -> Self {
        Self(self.0.saturating_sub(ms))
    }

    /// Milliseconds from `earlier` to here, 0 where `earlier` is later.
    ///
    /// ```
    /// use vipnode_types::Ms;
    ///
    /// let now = Ms::new(1_600_000_000_123);
    /// assert_eq!(now.rfc3339(), "2020-09-13T12:26:40.123Z");
    /// assert_eq!(now.plus(60_000).since(now), 60_000);
    /// assert_eq!(now.since(now.plus(1)), 0, "saturates");
    /// ```
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Returns the time in RFC 3339 format, with milliseconds.
    #[must_use]
    pub fn rfc3339(self) -> String {
        humantime::format_rfc3339_millis(self.system_time()).to_string()
    }

    /// The same with whole seconds, rounded down.
    #[must_use]
    pub fn rfc3339_seconds(self) -> String {
        humantime::format_rfc3339_seconds(self.system_time()).to_string()
    }

    /// Not after the year 9999, the last that RFC 3339 knows and that can be written.
    fn system_time(self) -> SystemTime {
        let last = 253_402_300_799_000;
        UNIX_EPOCH.checked_add(Duration::from_millis(self.0.min(last))).unwrap_or(UNIX_EPOCH)
    }
}

impl fmt::Debug for Ms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}ms", self.0)
    }
}
