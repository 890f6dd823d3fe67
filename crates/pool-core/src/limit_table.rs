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

/// The unit of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitUnit {
    /// A number of things.
    Count,
    /// Bytes.
    Bytes,
    /// Milliseconds.
    Time,
}

/// The type of a field that holds a limit.
pub(crate) trait LimitValue {
    fn number(&self) -> u64;
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
            pub const TABLE: &'static [$crate::limit_table::Limit<Self>] = &[$($crate::limit_table::Limit {
                name: stringify!($name),
                unit: $crate::limit_table::LimitUnit::$unit,
                range: $range,
                rule: concat!($($rule),+),
                get: |limits| $crate::limit_table::LimitValue::number(&limits.$name),
                set: |limits, number| limits.$name = $crate::limit_table::LimitValue::of(number),
            }),+];
        }
    };
}

pub(crate) use limits;
