//! Prices of tokens, and sums of them.

use super::parts::{self, PARTS, Part};
use crate::snapshot::TokenRates;
use crate::usage::Usage;

/// What each kind of token costs, in nano-dollars per thousand; `None` is not known.
///
/// What a list leaves out is stood in for: cached input and input written to the cache cost what input
/// does, what is written for an hour what is written for less, reasoning what output does, sound and
/// images what text does, and cached sound what cached text does, if that has a price. Who has a price for
/// sound or images alone makes or takes nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rates {
    rates: [Option<u64>; PARTS],
    /// Those that another list has lent: what is charged by them is known in part.
    lent: [bool; PARTS],
}

impl Rates {
    pub(super) fn new(list: &TokenRates) -> Self {
        let mut rates = [None; PARTS];
        let mut set = |part: Part, rate| rates[part as usize] = rate;
        let input = list.input.or(list.audio_input).or(list.image_input);
        let output = list.output.or(list.audio_output).or(list.image_output);
        let cache_write = list.cache_write.or(input);
        let audio_input = list.audio_input.or(input);
        set(Part::Input, input);
        set(Part::Output, output);
        set(Part::Cached, list.cached.or(input));
        set(Part::CacheWrite, cache_write);
        set(Part::CacheWrite1h, list.cache_write_1h.or(cache_write));
        set(Part::Reasoning, list.reasoning.or(output));
        set(Part::AudioInput, audio_input);
        set(Part::AudioOutput, list.audio_output.or(output));
        set(Part::AudioCached, list.audio_cached.or(list.cached).or(audio_input));
        set(Part::ImageInput, list.image_input.or(input));
        set(Part::ImageOutput, list.image_output.or(output));
        Rates { rates, lent: [false; PARTS] }
    }

    /// Which of the fuller prices these lack, or have otherwise.
    pub(super) fn missing_of(&self, fuller: &Rates) -> [bool; PARTS] {
        std::array::from_fn(|part| self.rates[part] != fuller.rates[part])
    }

    /// The same, with these lent.
    pub(super) fn lent(self, lent: &[bool; PARTS]) -> Self {
        Rates { lent: *lent, ..self }
    }

    /// The same, all of them lent.
    pub(super) fn all_lent(&self) -> Self {
        self.lent(&[true; PARTS])
    }

    /// Whether any price is known.
    pub(super) fn is_known(&self) -> bool {
        self.rates.iter().any(Option::is_some)
    }

    /// The same price for all input, and for all output.
    pub(super) fn of_text(input: u64, output: u64) -> Self {
        Rates::new(&TokenRates {
            input: Some(input),
            output: Some(output),
            ..TokenRates::default()
        })
    }

    /// Whether any token costs something.
    pub(super) fn charge(&self) -> bool {
        self.rates.iter().flatten().any(|rate| *rate > 0)
    }

    /// What the tokens of a usage come to.
    pub(super) fn sum(&self, usage: &Usage) -> Sum {
        let mut sum = Sum::default();
        for (part, tokens) in parts::of(usage) {
            sum.add(tokens, self.rates[part as usize]);
            sum.is_partial |= tokens > 0 && self.lent[part as usize];
        }
        sum
    }

    /// Adds the most that so many tokens can come to, whatever they are.
    pub(super) fn add_most(&self, input: u64, output: u64, sum: &mut Sum) {
        let of = |parts: &[Part]| parts.iter().filter_map(|part| self.rates[*part as usize]).max();
        sum.add(input, of(&INPUT));
        sum.add(output, of(&OUTPUT));
    }
}

const INPUT: [Part; 7] = [
    Part::Input,
    Part::Cached,
    Part::CacheWrite,
    Part::CacheWrite1h,
    Part::AudioInput,
    Part::AudioCached,
    Part::ImageInput,
];
const OUTPUT: [Part; 4] = [Part::Output, Part::Reasoning, Part::AudioOutput, Part::ImageOutput];

/// A sum on its way: thousandths of a nano-dollar, exactly, and whether something in it had no price.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sum {
    thousandths: u128,
    /// Something had no price.
    pub(super) is_partial: bool,
    /// It is more than any number here can hold.
    is_absurd: bool,
}

impl Sum {
    /// Adds so many, each at this rate: nano-dollars per thousand of them.
    pub(super) fn add(&mut self, count: u64, rate: Option<u64>) {
        match rate {
            // Two numbers of 64 bits have a product of 128.
            Some(rate) => self.plus(u128::from(count) * u128::from(rate)),
            None => self.is_partial |= count > 0,
        }
    }

    /// Adds so many, each at so many times this rate.
    pub(super) fn add_times(&mut self, count: u64, rate: u64, times: u64) {
        match (u128::from(count) * u128::from(rate)).checked_mul(u128::from(times)) {
            Some(thousandths) => self.plus(thousandths),
            None => self.is_absurd = true,
        }
    }

    fn plus(&mut self, thousandths: u128) {
        match self.thousandths.checked_add(thousandths) {
            Some(sum) => self.thousandths = sum,
            None => self.is_absurd = true,
        }
    }

    /// Rounded, half up; `None` if it is no amount of money.
    pub(super) fn rounded(&self) -> Option<u64> {
        if self.is_absurd {
            return None;
        }
        u64::try_from(self.thousandths.checked_add(500)? / 1000).ok()
    }
}
