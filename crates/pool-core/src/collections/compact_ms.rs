use vipnode_types::Ms;

/// A time in six bytes that need no alignment to eight, for values of which the pool keeps millions. A time that they
/// cannot hold, from the year 10889 on, counts as [`Ms::NEVER`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CompactMs([u16; 3]);

impl CompactMs {
    pub(crate) const NEVER: Self = Self([u16::MAX; 3]);

    pub(crate) const fn of(time: Ms) -> Self {
        let [h0, h1, a, b, c, d, e, f] = time.get().to_be_bytes();
        if h0 != 0 || h1 != 0 {
            return Self::NEVER;
        }
        Self([u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]), u16::from_be_bytes([e, f])])
    }

    pub(crate) const fn get(self) -> Ms {
        let Self([high, middle, low]) = self;
        if high == u16::MAX && middle == u16::MAX && low == u16::MAX {
            return Ms::NEVER;
        }
        let ([a, b], [c, d], [e, f]) = (high.to_be_bytes(), middle.to_be_bytes(), low.to_be_bytes());
        Ms::new(u64::from_be_bytes([0, 0, a, b, c, d, e, f]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_time_of_this_era_comes_back() {
        for time in [0, 1, 1_700_000_000_123, (1 << 48) - 2] {
            assert_eq!(CompactMs::of(Ms::new(time)).get(), Ms::new(time));
        }
        for time in [(1 << 48) - 1, 1 << 48, u64::MAX] {
            assert_eq!(CompactMs::of(Ms::new(time)).get(), Ms::NEVER, "{time}");
        }
    }
}
