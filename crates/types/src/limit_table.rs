use std::{ops::RangeInclusive, time::Duration};

/// One limit: a row of the table of limits of type `T`.
#[derive(Debug)]
pub struct Limit<T: 'static> {
    /// The name of the field.
    pub name: &'static str,
    /// The unit of its values.
    pub unit: LimitUnit,
    /// The values that it may have.
    pub range: RangeInclusive<u64>,
    /// What it limits, and what happens at the limit.
    pub rule: &'static str,
    /// Reads the value.
    pub get: fn(&T) -> u64,
    /// Sets the value; the caller has checked the range.
    pub set: fn(&mut T, u64),
}

/// One limit with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitSetting {
    /// Name by which `--limit` sets it.
    pub name: &'static str,
    /// The unit of its values.
    pub unit: LimitUnit,
    /// The value that is set.
    pub value: u64,
    /// Its default value.
    pub default: u64,
    /// The values that it may have.
    pub range: RangeInclusive<u64>,
    /// What it limits, and what happens at the limit.
    pub rule: &'static str,
}

/// Limits that can be listed, and set by name.
pub trait LimitSettings {
    /// Returns every limit, as it is set.
    fn limit_settings(&self) -> Vec<LimitSetting>;

    /// Sets a limit to a value in its range. Returns `false` if no limit has this name, or the value is beyond its range.
    #[must_use]
    fn set_limit(&mut self, name: &str, value: u64) -> bool;
}

/// How a limit is written: `1000`, `64KiB`, or `10s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitUnit {
    /// A number of things.
    Count,
    /// A size in bytes.
    Bytes,
    /// Milliseconds.
    Time,
}

/// The type of a field that holds a limit.
pub trait LimitValue {
    /// Returns the value in its unit.
    fn number(&self) -> u64;
    /// Reads a value in its unit; one that the type cannot hold becomes the largest.
    fn of(number: u64) -> Self;
}

impl LimitValue for u64 {
    fn number(&self) -> u64 {
        *self
    }

    fn of(number: u64) -> Self {
        number
    }
}

impl LimitValue for u32 {
    fn number(&self) -> u64 {
        u64::from(*self)
    }

    fn of(number: u64) -> Self {
        Self::try_from(number).unwrap_or(Self::MAX)
    }
}

impl LimitValue for usize {
    fn number(&self) -> u64 {
        u64::try_from(*self).unwrap_or(u64::MAX)
    }

    fn of(number: u64) -> Self {
        Self::try_from(number).unwrap_or(Self::MAX)
    }
}

impl LimitValue for Duration {
    fn number(&self) -> u64 {
        u64::try_from(self.as_millis()).unwrap_or(u64::MAX)
    }

    fn of(number: u64) -> Self {
        Self::from_millis(number)
    }
}

/// Declares a struct of limits, its defaults and its table from one list of
/// `/// rule` `name: type = default, unit range;`. Settings that are not limits follow after `also`.
#[macro_export]
macro_rules! limits {
    (
        $(#[$about:meta])*
        $table:ident {
            $($(#[doc = $rule:literal])+ $name:ident: $kind:ty = $default:expr, $unit:ident $range:expr;)+
        }
        also { $($(#[doc = $word:literal])+ $field:ident: $other:ty = $value:expr;)* }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $table {
            $($(#[doc = $rule])+ pub $name: $kind,)+
            $($(#[doc = $word])+ pub $field: $other,)*
        }

        impl Default for $table {
            fn default() -> Self {
                Self { $($name: $default,)+ $($field: $value,)* }
            }
        }

        impl $table {
            /// The table of these limits.
            pub const TABLE: &'static [$crate::Limit<Self>] = &[$($crate::Limit {
                name: stringify!($name),
                unit: $crate::LimitUnit::$unit,
                range: $range,
                rule: concat!($($rule),+),
                get: |limits| $crate::LimitValue::number(&limits.$name),
                set: |limits, number| limits.$name = $crate::LimitValue::of(number),
            }),+];
        }

        impl $crate::LimitSettings for $table {
            fn limit_settings(&self) -> Vec<$crate::LimitSetting> {
                let usual = Self::default();
                let settings = Self::TABLE.iter().map(|row| $crate::LimitSetting {
                    name: row.name,
                    unit: row.unit,
                    value: (row.get)(self),
                    default: (row.get)(&usual),
                    range: row.range.clone(),
                    rule: row.rule.trim(),
                });
                settings.collect()
            }

            fn set_limit(&mut self, name: &str, value: u64) -> bool {
                let row = Self::TABLE.iter().find(|row| row.name == name && row.range.contains(&value));
                if let Some(row) = row {
                    (row.set)(self, value);
                }
                row.is_some()
            }
        }
    };
}
