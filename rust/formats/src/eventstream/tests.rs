#![allow(clippy::unwrap_used)]
use super::*;

type Seen = Vec<(Option<String>, String)>;

fn read(chunks: &[&[u8]]) -> Result<Seen, Broken> {
    let mut messages = Messages::default();
    let mut seen = Vec::new();
    let mut take = |frame: Frame<'_>| {
        seen.push((frame.event.map(str::to_owned), frame.data.to_owned()));
        Ok::<(), Broken>(())
    };
    chunks.iter().try_for_each(|chunk| messages.push(chunk, &mut take))?;
    messages.close()?;
    Ok(seen)
}

/// A message with these raw headers.
fn raw(headers: &[u8], payload: &[u8]) -> Vec<u8> {
    let total = u32::try_from(PRELUDE + headers.len() + payload.len() + CHECKSUM).unwrap();
    let mut out = total.to_be_bytes().to_vec();
    out.extend_from_slice(&u32::try_from(headers.len()).unwrap().to_be_bytes());
    out.extend_from_slice(&crc32fast::hash(&out).to_be_bytes());
    out.extend_from_slice(headers);
    out.extend_from_slice(payload);
    out.extend_from_slice(&crc32fast::hash(&out).to_be_bytes());
    out
}

fn stream() -> Vec<u8> {
    let mut out = Vec::new();
    event(&mut out, "messageStart", |w| {
        w.text("role", "assistant");
    });
    event(&mut out, "contentBlockDelta", |w| {
        w.text("text", "é😀");
    });
    exception(&mut out, "throttlingException", |w| {
        w.text("message", "Slow down.");
    });
    out
}

/// The example of the specification: one header, and a payload.
#[test]
fn a_message_of_the_specification_is_read() {
    let bytes = [
        0x00, 0x00, 0x00, 0x3d, 0x00, 0x00, 0x00, 0x20, 0x07, 0xfd, 0x83, 0x96, 0x0c, b'c', b'o',
        b'n', b't', b'e', b'n', b't', b'-', b't', b'y', b'p', b'e', 0x07, 0x00, 0x10, b'a', b'p',
        b'p', b'l', b'i', b'c', b'a', b't', b'i', b'o', b'n', b'/', b'j', b's', b'o', b'n', 0x7b,
        0x27, 0x66, 0x6f, 0x6f, 0x27, 0x3a, 0x27, 0x62, 0x61, 0x72, 0x27, 0x7d, 0x8d, 0x9c, 0x08,
        0xb1,
    ];
    assert_eq!(read(&[&bytes]), Ok(vec![(None, "{'foo':'bar'}".to_owned())]));
}

#[test]
fn every_split_gives_the_same_frames() {
    let bytes = stream();
    let whole = read(&[&bytes]).unwrap();
    let names: Vec<_> = whole.iter().map(|(name, _)| name.as_deref().unwrap()).collect();
    assert_eq!(names, ["messageStart", "contentBlockDelta", "throttlingException"]);
    assert_eq!(whole[1].1, r#"{"text":"é😀"}"#);
    for at in 0..=bytes.len() {
        assert_eq!(read(&[&bytes[..at], &bytes[at..]]).unwrap(), whole, "split at {at}");
    }
    let single: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(read(&single).unwrap(), whole);
}

#[test]
fn headers_of_all_types_are_passed_over() {
    let mut headers = Vec::new();
    for (kind, value) in [
        (0, &[][..]),
        (1, &[]),
        (2, &[1]),
        (3, &[1; 2]),
        (4, &[1; 4]),
        (5, &[1; 8]),
        (6, &[0, 3, 1, 1, 1]),
        (7, &[0, 1, b'x']),
        (8, &[1; 8]),
        (9, &[1; 16]),
    ] {
        headers.extend_from_slice(&[1, b'h', kind]);
        headers.extend_from_slice(value);
    }
    header(&mut headers, ":event-type", "metadata");
    let seen = read(&[&raw(&headers, b"{}")]).unwrap();
    assert_eq!(seen, [(Some("metadata".to_owned()), "{}".to_owned())]);
}

#[test]
fn an_error_without_a_payload_gets_one_of_its_headers() {
    let mut headers = Vec::new();
    header(&mut headers, ":message-type", "error");
    header(&mut headers, ":error-code", "InternalFailure");
    header(&mut headers, ":error-message", "It \"broke\".");
    let seen = read(&[&raw(&headers, b"")]).unwrap();
    let told = r#"{"message":"It \"broke\"."}"#.to_owned();
    assert_eq!(seen, [(Some("InternalFailure".to_owned()), told)]);
}

#[test]
fn every_turned_bit_is_noticed() {
    let mut bytes = Vec::new();
    event(&mut bytes, "messageStop", |w| {
        w.text("stopReason", "end_turn");
    });
    for at in 0..bytes.len() * 8 {
        let mut damaged = bytes.clone();
        damaged[at / 8] ^= 1 << (at % 8);
        assert!(read(&[&damaged]).is_err(), "bit {at}");
    }
}

#[test]
fn headers_that_make_no_sense_are_refused() {
    for headers in [
        &[5, b'a'][..],         // the name is cut short
        &[1, b'a'],             // no type
        &[1, b'a', 10],         // an unknown type
        &[1, b'a', 7, 0, 9, 1], // the value is cut short
        &[1, b'a', 5, 1, 2, 3],
    ] {
        assert_eq!(read(&[&raw(headers, b"{}")]), Err(Broken::Malformed), "{headers:?}");
    }
    let numeric = [&[11][..], b":event-type", &[2, 7]].concat();
    assert_eq!(read(&[&raw(&numeric, b"{}")]), Err(Broken::Malformed));
}

#[test]
fn a_message_that_claims_to_be_huge_is_refused_before_it_comes() {
    let mut prelude = u32::MAX.to_be_bytes().to_vec();
    prelude.extend_from_slice(&[0; 4]);
    prelude.extend_from_slice(&crc32fast::hash(&prelude).to_be_bytes());
    assert_eq!(read(&[&prelude]), Err(Broken::TooLarge));
}

#[test]
fn lengths_that_contradict_each_other_are_refused() {
    for (total, headers) in [(0_u32, 0_u32), (15, 0), (20, 5), (16, u32::MAX)] {
        let mut bytes = [total.to_be_bytes(), headers.to_be_bytes()].concat();
        bytes.extend_from_slice(&crc32fast::hash(&bytes).to_be_bytes());
        bytes.extend_from_slice(&[0; 32]);
        assert_eq!(read(&[&bytes]), Err(Broken::Malformed), "{total} {headers}");
    }
}

#[test]
fn a_stream_that_ends_within_a_message_is_noticed() {
    let bytes = stream();
    assert_eq!(read(&[&bytes[..bytes.len() - 1]]), Err(Broken::Truncated));
    assert_eq!(read(&[&bytes[..5]]), Err(Broken::Truncated));
}

#[test]
fn noise_is_refused_without_a_panic() {
    let mut noise = fastrand::Rng::with_seed(7);
    for _ in 0..2000 {
        let bytes: Vec<u8> = (0..noise.usize(12..200)).map(|_| noise.u8(..)).collect();
        assert!(read(&[&bytes]).is_err());
        // Valid lengths and checksums around noise.
        let headers: Vec<u8> = (0..noise.usize(0..40)).map(|_| noise.u8(..)).collect();
        let _ = read(&[&raw(&headers, &bytes)]);
    }
}
