/// No index.
pub(crate) const NIL: u32 = u32::MAX;

/// Values under 32-bit indexes. It grows by chunks, so that no value is ever moved and growth does not stall the pool.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    chunks: Vec<Vec<SlabEntry<T>>>,
    free: Vec<u32>,
    capacity: u32,
    len: usize,
}

/// An index of a [`Slab`] with a generation: a handle whose value was removed finds nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Handle {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

/// The generation comes before the value, next to what the value begins with: both are read with each handle.
#[derive(Debug)]
#[repr(C)]
struct SlabEntry<T> {
    generation: u32,
    value: Option<T>,
}

const CHUNK: u32 = 1024;

impl<T> Slab<T> {
    pub(crate) const fn new() -> Self {
        Self { chunks: Vec::new(), free: Vec::new(), capacity: 0, len: 0 }
    }

    /// The number of values.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// The number of indexes ever used; each value's index is below it.
    pub(crate) const fn capacity(&self) -> u32 {
        self.capacity
    }

    /// Adds a value. Returns `None` at 2^32 - 1 values.
    pub(crate) fn insert(&mut self, value: T) -> Option<Handle> {
        let index = match self.free.pop() {
            Some(index) => index,
            None => self.grow()?,
        };
        let entry = self.entry_mut(index)?;
        entry.value = Some(value);
        let generation = entry.generation;
        self.len = self.len.saturating_add(1);
        Some(Handle { index, generation })
    }

    pub(crate) fn remove(&mut self, index: u32) -> Option<T> {
        let entry = self.entry_mut(index)?;
        let value = entry.value.take()?;
        entry.generation = entry.generation.wrapping_add(1);
        self.free.push(index);
        self.len = self.len.saturating_sub(1);
        Some(value)
    }

    pub(crate) fn get(&self, index: u32) -> Option<&T> {
        self.entry(index)?.value.as_ref()
    }

    pub(crate) fn get_mut(&mut self, index: u32) -> Option<&mut T> {
        self.entry_mut(index)?.value.as_mut()
    }

    /// The current handle of an index.
    pub(crate) fn handle(&self, index: u32) -> Option<Handle> {
        let entry = self.entry(index)?;
        entry.value.as_ref()?;
        Some(Handle { index, generation: entry.generation })
    }

    /// The index of a handle, if its value was not removed.
    pub(crate) fn live(&self, handle: Handle) -> Option<u32> {
        (self.handle(handle.index)? == handle).then_some(handle.index)
    }

    /// Iterates over the values in order of their indexes.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        let entries = self.chunks.iter().flatten();
        (0..self.capacity).zip(entries).filter_map(|(index, entry)| Some((index, entry.value.as_ref()?)))
    }

    fn grow(&mut self) -> Option<u32> {
        let index = self.capacity;
        self.capacity = index.checked_add(1)?;
        if index.is_multiple_of(CHUNK) {
            self.chunks.push(Vec::with_capacity(CHUNK as usize));
        }
        self.chunks.last_mut()?.push(SlabEntry { generation: 0, value: None });
        Some(index)
    }

    fn entry(&self, index: u32) -> Option<&SlabEntry<T>> {
        self.chunks.get((index / CHUNK) as usize)?.get((index % CHUNK) as usize)
    }

    fn entry_mut(&mut self, index: u32) -> Option<&mut SlabEntry<T>> {
        self.chunks.get_mut((index / CHUNK) as usize)?.get_mut((index % CHUNK) as usize)
    }
}

#[cfg(test)]
impl<T> Slab<T> {
    /// Bytes on the heap for the entries, not for what they point at.
    pub(crate) fn heap_bytes(&self) -> usize {
        let chunks: usize = self.chunks.iter().map(Vec::capacity).sum();
        chunks * size_of::<SlabEntry<T>>() + self.chunks.capacity() * size_of::<Vec<T>>() + self.free.capacity() * 4
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_kept_too_long_finds_nothing() {
        let mut slab = Slab::new();
        let first = slab.insert('a').unwrap();
        assert_eq!(slab.remove(first.index), Some('a'));
        let second = slab.insert('b').unwrap();
        assert_eq!(first.index, second.index);
        assert_eq!(slab.live(first), None);
        assert_eq!(slab.live(second), Some(second.index));
        assert_eq!(slab.remove(9), None);
        assert_eq!(slab.len(), 1);
    }

    #[test]
    fn grows_by_chunks_and_walks_in_order() {
        let mut slab = Slab::new();
        for number in 0..3000_u32 {
            assert_eq!(slab.insert(number).unwrap().index, number);
        }
        slab.remove(1500);
        assert_eq!(slab.iter().count(), 2999);
        assert!(slab.iter().all(|(index, value)| index == *value));
    }
}
