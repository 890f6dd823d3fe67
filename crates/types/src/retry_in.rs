use std::fmt;

/// A time in milliseconds after which something may be tried again, as people read it: `50 ms`, `10 s`. Seconds are rounded up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryIn(pub u64);

impl fmt::Display for RetryIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            ms @ 0..1_000 => write!(f, "{ms} ms"),
            ms => write!(f, "{} s", ms.div_ceil(1_000)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_rounded_up() {
        for (ms, text) in
            [(0, "0 ms"), (999, "999 ms"), (1_000, "1 s"), (9_742, "10 s"), (u64::MAX, "18446744073709552 s")]
        {
            assert_eq!(RetryIn(ms).to_string(), text);
        }
    }
}
