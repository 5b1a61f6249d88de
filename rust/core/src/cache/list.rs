//! A doubly linked list inside a slab: slots are numbers, free ones are used again.

const NONE: u32 = u32::MAX;

/// A value in its slot, with its neighbours.
pub(super) struct Linked<T> {
    value: Option<T>,
    before: u32,
    after: u32,
}

/// Values from the first to the last; a value keeps its slot for as long as it is in the list.
pub(super) struct List<T> {
    slab: Vec<Linked<T>>,
    free: u32,
    first: u32,
    last: u32,
}

impl<T> List<T> {
    pub(super) fn new() -> Self {
        List { slab: Vec::new(), free: NONE, first: NONE, last: NONE }
    }

    pub(super) fn get(&self, slot: u32) -> Option<&T> {
        self.slab.get(slot as usize)?.value.as_ref()
    }

    pub(super) fn last(&self) -> Option<u32> {
        (self.last != NONE).then_some(self.last)
    }

    pub(super) fn push_front(&mut self, value: T) -> u32 {
        let linked = Linked { value: Some(value), before: NONE, after: NONE };
        let slot = if self.free == NONE {
            self.slab.push(linked);
            (self.slab.len() - 1) as u32
        } else {
            let slot = self.free;
            self.free = self.slab[slot as usize].after;
            self.slab[slot as usize] = linked;
            slot
        };
        self.link_first(slot);
        slot
    }

    pub(super) fn move_to_front(&mut self, slot: u32) {
        if self.first != slot {
            self.unlink(slot);
            self.link_first(slot);
        }
    }

    pub(super) fn remove(&mut self, slot: u32) -> Option<T> {
        let value = self.slab.get_mut(slot as usize)?.value.take()?;
        self.unlink(slot);
        self.slab[slot as usize].after = self.free;
        self.free = slot;
        Some(value)
    }

    fn link_first(&mut self, slot: u32) {
        let second = self.first;
        self.slab[slot as usize].before = NONE;
        self.slab[slot as usize].after = second;
        match second {
            NONE => self.last = slot,
            _ => self.slab[second as usize].before = slot,
        }
        self.first = slot;
    }

    fn unlink(&mut self, slot: u32) {
        let Linked { before, after, .. } = self.slab[slot as usize];
        match before {
            NONE => self.first = after,
            _ => self.slab[before as usize].after = after,
        }
        match after {
            NONE => self.last = before,
            _ => self.slab[after as usize].before = before,
        }
    }
}
