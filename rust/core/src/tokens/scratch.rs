//! What a thread keeps between counts: the token counts of recent pieces that are no token by
//! themselves, and the buffers for long ones.

use std::cell::RefCell;

use super::longpiece::LongPiece;
use super::merge::{self, SHORT};
use super::vocabulary::Vocabulary;
use super::words::{KEY_BYTES, Key};

const SLOT_BITS: u32 = 12;

/// Direct-mapped: a piece has one slot, and the latest comer keeps it. 96 KB.
pub(super) struct Scratch {
    recent: Box<[Slot]>,
    long: LongPiece,
}

/// A piece of one vocabulary, whole, so that a hit is certain; `len` 0 marks an empty slot.
#[derive(Clone, Copy, Default)]
struct Slot {
    key: Key,
    vocabulary: u8,
    len: u8,
    tokens: u8,
}

impl Scratch {
    /// Runs `work` with this thread's scratch.
    pub(super) fn with<T>(work: impl FnOnce(&mut Scratch) -> T) -> T {
        thread_local! {
            static SCRATCH: RefCell<Scratch> = RefCell::new(Scratch::new());
        }
        SCRATCH.with_borrow_mut(work)
    }

    fn new() -> Self {
        Scratch { recent: vec![Slot::default(); 1 << SLOT_BITS].into(), long: LongPiece::default() }
    }

    /// The number of tokens of `text[start..end]`, which is no token by itself.
    #[inline(never)]
    pub(super) fn merged(
        &mut self,
        vocabulary: &Vocabulary,
        text: &[u8],
        start: usize,
        end: usize,
    ) -> usize {
        match end - start {
            len if len <= KEY_BYTES => self.remembered(vocabulary, text, start, len),
            len if len <= SHORT => merge::short(vocabulary, text, start, end),
            _ => self.long.count(vocabulary, &text[start..end]),
        }
    }

    fn remembered(
        &mut self,
        vocabulary: &Vocabulary,
        text: &[u8],
        start: usize,
        len: usize,
    ) -> usize {
        let key = Key::of(text, start, len);
        let wanted = Slot { key, vocabulary: vocabulary.id, len: len as u8, tokens: 0 };
        let slot = &mut self.recent[(key.hash() >> (64 - SLOT_BITS)) as usize];
        if !slot.is(&wanted) {
            let tokens = merge::short(vocabulary, text, start, start + len);
            *slot = Slot { tokens: tokens as u8, ..wanted };
        }
        usize::from(slot.tokens)
    }
}

impl Slot {
    fn is(&self, wanted: &Slot) -> bool {
        self.key == wanted.key && self.len == wanted.len && self.vocabulary == wanted.vocabulary
    }
}
