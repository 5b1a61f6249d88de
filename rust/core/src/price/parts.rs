//! A usage taken apart, so that every token is charged once.

use crate::usage::Usage;

/// What tokens are, where that makes a difference to their price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Input,
    Output,
    Cached,
    CacheWrite,
    CacheWrite1h,
    Reasoning,
    AudioInput,
    AudioOutput,
    AudioCached,
    ImageInput,
    ImageOutput,
}

/// How many kinds there are.
pub(super) const PARTS: usize = 11;

/// The parts of a usage. Their sums are its input and its output: what a provider tells of a part beyond
/// its whole is not believed.
pub(super) fn of(usage: &Usage) -> [(Part, u64); PARTS] {
    let mut input = usage.input;
    let mut heard = usage.audio_input;
    let audio_cached = take(&mut input, usage.audio_cached.min(usage.cache_read));
    take(&mut heard, audio_cached);
    let cached = take(&mut input, usage.cache_read.saturating_sub(audio_cached));
    let for_an_hour = take(&mut input, usage.cache_write_1h.min(usage.cache_write));
    let written = take(&mut input, usage.cache_write.saturating_sub(for_an_hour));
    let heard = take(&mut input, heard);
    let seen = take(&mut input, usage.image_input);
    let mut output = usage.output;
    let spoken = take(&mut output, usage.audio_output);
    let drawn = take(&mut output, usage.image_output);
    let thought = take(&mut output, usage.reasoning);
    [
        (Part::Input, input),
        (Part::Output, output),
        (Part::Cached, cached),
        (Part::CacheWrite, written),
        (Part::CacheWrite1h, for_an_hour),
        (Part::Reasoning, thought),
        (Part::AudioInput, heard),
        (Part::AudioOutput, spoken),
        (Part::AudioCached, audio_cached),
        (Part::ImageInput, seen),
        (Part::ImageOutput, drawn),
    ]
}

/// Takes up to `wanted` of what is left.
fn take(left: &mut u64, wanted: u64) -> u64 {
    let taken = wanted.min(*left);
    *left -= taken;
    taken
}
