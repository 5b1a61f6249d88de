//! The list that a scan fills: which pattern ends where.

/// One end of a match. Sorts by offset, then by pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct End {
    /// Offset after the match's last byte.
    pub offset: u64,
    /// The pattern: its id in what a stream reports, its position in what [`Ends`] holds.
    pub pattern: u32,
}

/// A list of ends that takes so many and no more.
#[derive(Debug)]
pub struct Ends {
    list: Vec<End>,
    limit: usize,
}

impl Ends {
    /// An empty list for up to `limit` ends.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Ends { list: Vec::new(), limit }
    }

    /// Empties the list, keeps its memory.
    pub fn reset(&mut self, limit: usize) {
        self.list.clear();
        self.limit = limit;
    }

    /// What was found so far.
    #[must_use]
    pub fn as_slice(&self) -> &[End] {
        &self.list
    }

    pub(super) fn as_mut_slice(&mut self) -> &mut [End] {
        &mut self.list
    }

    /// Adds an end; false if the list is full. Does not panic: Hyperscan calls it.
    #[inline]
    pub(super) fn push(&mut self, end: End) -> bool {
        if self.list.len() >= self.limit || self.list.try_reserve(1).is_err() {
            return false;
        }
        self.list.push(end);
        true
    }
}

#[cfg(feature = "hyperscan")]
impl llmgw_hs_sys::Sink for Ends {
    #[inline]
    fn accept(&mut self, id: u32, end: u64) -> bool {
        self.push(End { offset: end, pattern: id })
    }
}
