/// One value for each index of a [`crate::collections::slab::Slab`], so that an owner keeps its own state of a node
/// outside the node. It grows by chunks, as the slab does; an index that was not written has the default value.
#[derive(Debug)]
pub(crate) struct ByIndex<T> {
    chunks: Vec<Vec<T>>,
    unwritten: T,
}

/// The number of values allocated at once.
const CHUNK: u32 = 1024;

impl<T: Default> ByIndex<T> {
    pub(crate) fn new() -> Self {
        Self { chunks: Vec::new(), unwritten: T::default() }
    }

    /// The value of an index.
    pub(crate) fn get(&self, index: u32) -> &T {
        let chunk = self.chunks.get((index / CHUNK) as usize);
        chunk.and_then(|chunk| chunk.get((index % CHUNK) as usize)).unwrap_or(&self.unwritten)
    }

    /// The value of an index of the slab, to be changed.
    pub(crate) fn get_mut(&mut self, index: u32) -> Option<&mut T> {
        let chunk = (index / CHUNK) as usize;
        while self.chunks.len() <= chunk {
            self.chunks.push((0..CHUNK).map(|_| T::default()).collect());
        }
        self.chunks.get_mut(chunk)?.get_mut((index % CHUNK) as usize)
    }

    /// Resets the value of an index to the default, and returns the previous one.
    pub(crate) fn take(&mut self, index: u32) -> T {
        self.get_mut(index).map(std::mem::take).unwrap_or_default()
    }
}

#[cfg(test)]
impl<T> ByIndex<T> {
    pub(crate) fn heap_bytes(&self) -> usize {
        let values: usize = self.chunks.iter().map(Vec::capacity).sum();
        values * size_of::<T>() + self.chunks.capacity() * size_of::<Vec<T>>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_written_is_the_default() {
        let mut values: ByIndex<u32> = ByIndex::new();
        assert_eq!(*values.get(7_000), 0);
        *values.get_mut(3_000).unwrap() = 5;
        assert_eq!((*values.get(3_000), *values.get(2_999)), (5, 0));
        assert_eq!((values.take(3_000), *values.get(3_000)), (5, 0));
    }
}
