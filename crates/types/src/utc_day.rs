use std::{fmt, str::FromStr, time::UNIX_EPOCH};

use crate::{Ms, errors, text_form::serde_as_text};

/// A day in UTC, written as in `2026-11-30`, from 1970 to 9999.
///
/// ```
/// use vipnode_types::{Ms, UtcDay};
///
/// let day = UtcDay::of(Ms::new(1_796_000_000_000));
/// assert_eq!(day.to_string(), "2026-11-30");
/// assert_eq!("2026-11-30".parse(), Ok(day));
/// assert_eq!("2026-12-01".parse::<UtcDay>()?.start(), day.end());
/// # Ok::<(), vipnode_types::UtcDayError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UtcDay(u32);

errors! {
    /// Why a text is not a [`UtcDay`].
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum UtcDayError {
        /// The text is not in the form YYYY-MM-DD, or there is no such date.
        Form: local, "not a valid date", hint "Pass a date such as 2026-11-30.";
    }
}

impl UtcDay {
    /// 1970-01-01.
    pub const EPOCH: Self = Self(0);
    /// Milliseconds of a day.
    pub const MS: u64 = 24 * 60 * 60 * 1_000;
    /// 9999-12-31, the last day that RFC 3339 knows.
    const LAST: u32 = 2_932_896;
    /// Characters of a date.
    const CHARS: usize = 10;

    /// The day that contains a moment.
    #[must_use]
    pub fn of(at: Ms) -> Self {
        let days = at.get().checked_div(Self::MS).and_then(|days| u32::try_from(days).ok());
        Self(days.unwrap_or(Self::LAST).min(Self::LAST))
    }

    /// Its first millisecond.
    #[must_use]
    pub fn start(self) -> Ms {
        Ms::new(u64::from(self.0).saturating_mul(Self::MS))
    }

    /// The first millisecond after it.
    #[must_use]
    pub fn end(self) -> Ms {
        self.start().plus(Self::MS)
    }

    /// That many days earlier, at the earliest 1970-01-01.
    #[must_use]
    pub const fn minus_days(self, days: u32) -> Self {
        Self(self.0.saturating_sub(days))
    }
}

impl fmt::Display for UtcDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.start().rfc3339().get(..Self::CHARS).unwrap_or_default())
    }
}

impl fmt::Debug for UtcDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for UtcDay {
    type Err = UtcDayError;

    fn from_str(text: &str) -> Result<Self, UtcDayError> {
        let read = || {
            let text = Some(text).filter(|text| text.len() == Self::CHARS)?;
            let since = humantime::parse_rfc3339(&format!("{text}T00:00:00Z")).ok()?.duration_since(UNIX_EPOCH).ok()?;
            let day = Self::of(Ms::new(u64::try_from(since.as_millis()).ok()?));
            // Each day has one text: it is signed.
            (day.to_string() == text).then_some(day)
        };
        read().ok_or(UtcDayError::Form)
    }
}

serde_as_text!(UtcDay);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_not_a_date_is_refused() {
        for bad in ["", "2026-11-3", "2026-13-01", "2026-02-30", "1969-12-31", "2026-11-30T", "+026-11-30", "２026-1-1"]
        {
            assert_eq!(bad.parse::<UtcDay>(), Err(UtcDayError::Form), "{bad}");
        }
        let last = UtcDay::of(Ms::NEVER);
        assert_eq!((last.to_string(), "9999-12-31".parse()), ("9999-12-31".to_owned(), Ok(last)));
    }

    proptest! {
        #[test]
        fn each_moment_is_in_its_day(ms in 0u64..253_402_000_000_000) {
            let day = UtcDay::of(Ms::new(ms));
            prop_assert!(day.start() <= Ms::new(ms) && Ms::new(ms) < day.end());
            prop_assert_eq!(day.to_string().parse(), Ok(day));
            prop_assert_eq!(serde_json::from_str::<UtcDay>(&serde_json::to_string(&day).unwrap()).unwrap(), day);
            prop_assert_eq!(UtcDay::of(day.end()).minus_days(1), day);
        }

        #[test]
        fn never_panics(text in ".{0,20}") {
            let _ = text.parse::<UtcDay>();
        }
    }
}
