use vipnode_types::LeaseId;

/// The ID of a lease in two numbers of four bytes, so that what contains it needs no alignment to eight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CompactLeaseId([u32; 2]);

impl CompactLeaseId {
    pub(crate) const fn of(id: LeaseId) -> Self {
        let [a, b, c, d, e, f, g, h] = id.get().to_be_bytes();
        Self([u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h])])
    }

    pub(crate) const fn get(self) -> LeaseId {
        let Self([high, low]) = self;
        let ([a, b, c, d], [e, f, g, h]) = (high.to_be_bytes(), low.to_be_bytes());
        LeaseId::new(u64::from_be_bytes([a, b, c, d, e, f, g, h]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_id_comes_back() {
        for id in [0, 1, 0x0123_4567_89ab_cdef, u64::MAX] {
            assert_eq!(CompactLeaseId::of(LeaseId::new(id)).get(), LeaseId::new(id));
        }
    }
}
