use std::collections::BTreeMap;

/// Keys in turn, each with a value: first the one that was added, or had its turn, longest ago.
#[derive(Debug)]
pub(super) struct RoundRobin<K, V> {
    /// The number of the newest turn.
    last: u64,
    turns: BTreeMap<u64, K>,
    values: BTreeMap<K, (u64, V)>,
}

impl<K: Ord + Copy, V> RoundRobin<K, V> {
    pub(super) const fn new() -> Self {
        Self { last: 0, turns: BTreeMap::new(), values: BTreeMap::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Returns a key's value; a new key has its turn after all others.
    pub(super) fn entry(&mut self, key: K, new: impl FnOnce() -> V) -> &mut V {
        let Self { last, turns, values } = self;
        let (_turn, value) = values.entry(key).or_insert_with(|| {
            *last += 1;
            turns.insert(*last, key);
            (*last, new())
        });
        value
    }

    pub(super) fn get_mut(&mut self, key: K) -> Option<&mut V> {
        self.values.get_mut(&key).map(|(_turn, value)| value)
    }

    /// Returns the key whose turn it is. Its next turn is after those of all others.
    pub(super) fn next(&mut self) -> Option<(K, &mut V)> {
        let (_turn, key) = self.turns.pop_first()?;
        let (turn, value) = self.values.get_mut(&key)?;
        self.last += 1;
        *turn = self.last;
        self.turns.insert(*turn, key);
        Some((key, value))
    }

    pub(super) fn remove(&mut self, key: K) {
        if let Some((turn, _value)) = self.values.remove(&key) {
            self.turns.remove(&turn);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_their_turns_and_a_new_one_comes_last() {
        let mut robin = RoundRobin::new();
        for key in [3, 1, 2] {
            *robin.entry(key, || 0) += 1;
        }
        let mut next = || robin.next().map(|(key, _)| key);
        assert_eq!((next(), next()), (Some(3), Some(1)));
        robin.entry(9, || 0);
        robin.remove(2);
        let order: Vec<_> = (0..4).map(|_| robin.next().unwrap().0).collect();
        assert_eq!(order, [3, 1, 9, 3]);
        assert_eq!(robin.get_mut(3), Some(&mut 1));
        for key in [3, 1, 9] {
            robin.remove(key);
        }
        assert!(robin.is_empty() && robin.turns.is_empty() && robin.next().is_none());
    }
}
