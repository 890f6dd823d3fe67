use std::collections::BTreeMap;

/// The numbers that a journal lacks, until the entry is read into which one of them was folded.
#[derive(Debug, Default)]
pub(super) struct MissingEntries {
    /// The first and the last number of each gap.
    gaps: BTreeMap<u64, u64>,
}

impl MissingEntries {
    /// Adds a gap.
    pub(super) fn add(&mut self, first: u64, last: u64) {
        self.gaps.insert(first, last);
    }

    /// Removes a number that was folded into an entry. Returns false if it is not missing.
    pub(super) fn found(&mut self, number: u64) -> bool {
        let gap = self.gaps.range(..=number).next_back().map(|(first, last)| (*first, *last));
        let Some((first, last)) = gap.filter(|(_, last)| number <= *last) else { return false };
        self.gaps.remove(&first);
        if first < number {
            self.gaps.insert(first, number.saturating_sub(1));
        }
        if number < last {
            self.gaps.insert(number.saturating_add(1), last);
        }
        true
    }

    /// The first number of each gap that is left.
    pub(super) fn first_numbers(&self) -> impl Iterator<Item = u64> {
        self.gaps.keys().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_once_and_divides_its_gap() {
        let mut missing = MissingEntries::default();
        missing.add(3, 7);
        missing.add(9, 9);
        assert_eq!(
            [2, 3, 5, 5, 8, 9, 10].map(|number| missing.found(number)),
            [false, true, true, false, false, true, false]
        );
        assert_eq!(missing.gaps, BTreeMap::from([(4, 4), (6, 7)]));
        assert_eq!([4, 7, 6].map(|number| missing.found(number)), [true; 3]);
        assert_eq!(missing.first_numbers().count(), 0);
    }
}
