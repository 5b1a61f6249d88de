//! What cuts streams into frames: the same ones, whatever the chunks.

use llmgw_formats::eventstream::Messages;
use llmgw_formats::format::{Fault, Frame};
use llmgw_formats::frames::Frames;
use std::slice::Chunks;

/// Bytes of an input that are looked at: more of them make a fuzzer slow and no wiser.
const ENOUGH: usize = 2048;

/// The frames as text, and what broke the stream.
type Cut = (Vec<(Option<String>, String)>, Result<(), String>);

pub fn events(data: &[u8]) {
    assert_same_whatever_the_chunks(data, cut_events);
}

/// Checksums keep a fuzzer out, so that each input is tried once more with right ones.
pub fn messages(data: &[u8]) {
    assert_same_whatever_the_chunks(data, cut_messages);
    assert_same_whatever_the_chunks(&with_checksums(data), cut_messages);
}

fn assert_same_whatever_the_chunks(data: &[u8], cut: fn(Chunks<'_, u8>) -> Cut) {
    let data = &data[..data.len().min(ENOUGH)];
    let whole = cut(data.chunks(data.len().max(1)));
    for size in [1, 2, 3, 7, data.len().div_ceil(2).max(1)] {
        assert_eq!(cut(data.chunks(size)), whole, "in chunks of {size}");
    }
}

fn cut_events(mut chunks: Chunks<'_, u8>) -> Cut {
    let mut seen = Vec::new();
    let mut take = |frame: Frame<'_>| -> Result<(), Fault> { note(&mut seen, frame) };
    let mut frames = Frames::default();
    let mut result = chunks.try_for_each(|chunk| frames.push(chunk, &mut take));
    result = result.and_then(|()| frames.close(&mut take));
    (seen, result.map_err(|fault| fault.message))
}

fn cut_messages(mut chunks: Chunks<'_, u8>) -> Cut {
    let mut seen = Vec::new();
    let mut take = |frame: Frame<'_>| -> Result<(), Fault> { note(&mut seen, frame) };
    let mut messages = Messages::default();
    let mut result = chunks.try_for_each(|chunk| messages.push(chunk, &mut take));
    result = result.and_then(|()| messages.close().map_err(Fault::from));
    (seen, result.map_err(|fault| fault.message))
}

fn note(seen: &mut Vec<(Option<String>, String)>, frame: Frame<'_>) -> Result<(), Fault> {
    seen.push((frame.event.map(str::to_owned), frame.data.to_owned()));
    Ok(())
}

/// The messages with the checksums that they should have.
fn with_checksums(data: &[u8]) -> Vec<u8> {
    let mut right = data.to_vec();
    let mut rest = &mut right[..];
    while rest.len() >= 12 {
        let checksum = crc32fast::hash(&rest[..8]);
        rest[8..12].copy_from_slice(&checksum.to_be_bytes());
        let length = u32::from_be_bytes([rest[0], rest[1], rest[2], rest[3]]) as usize;
        if length < 16 || length > rest.len() {
            break;
        }
        let (message, after) = rest.split_at_mut(length);
        let checksum = crc32fast::hash(&message[..length - 4]);
        message[length - 4..].copy_from_slice(&checksum.to_be_bytes());
        rest = after;
    }
    right
}
