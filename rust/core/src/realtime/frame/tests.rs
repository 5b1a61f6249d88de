#![allow(clippy::unwrap_used)]

use super::*;

const TEXT: OpCode = OpCode::Data(Data::Text);
const CONTINUE: OpCode = OpCode::Data(Data::Continue);
const PING: OpCode = OpCode::Control(Control::Ping);

fn frames(side: Side, most: usize) -> Frames {
    Frames { side, most, message: None }
}

/// A client's frame.
fn frame(opcode: OpCode, is_final: bool, carried: &[u8]) -> Vec<u8> {
    let mut bytes = written(opcode, carried, Side::Upstream);
    if !is_final {
        bytes[0] &= 0x7f;
    }
    bytes
}

fn faults(side: Side, most: usize, bytes: &[&[u8]]) -> Fault {
    let (mut frames, mut input) = (frames(side, most), BytesMut::from(&bytes.concat()[..]));
    loop {
        match frames.take(&mut input) {
            Err(fault) => return fault,
            Ok(Taken::Frame(_)) => {}
            Ok(Taken::Missing(_)) => unreachable!("no fault"),
        }
    }
}

#[test]
fn a_frame_is_the_same_wherever_its_bytes_are_parted() {
    for length in [0, 1, 125, 126, 300, 65_535, 65_536] {
        let carried = vec![b'x'; length];
        let bytes = frame(TEXT, true, &carried);
        let ends = (0..bytes.len()).filter(|at| *at < 20 || at % 997 == 0 || *at + 2 > length);
        for end in ends {
            let (mut frames, mut input) = (frames(Side::Client, 100_000), BytesMut::new());
            input.extend_from_slice(&bytes[..end]);
            let Taken::Missing(missing) = frames.take(&mut input).unwrap() else {
                unreachable!("{end} bytes are no frame");
            };
            assert!((1..=bytes.len() - end).contains(&missing), "{length} {end}");
            input.extend_from_slice(&bytes[end..]);
            input.extend_from_slice(b"next");
            let Taken::Frame(frame) = frames.take(&mut input).unwrap() else {
                unreachable!("it is whole");
            };
            let mut read = Vec::new();
            frame.read_into(&mut read);
            assert_eq!(
                (frame.bytes, read, &input[..]),
                (bytes.clone().into(), carried.clone(), &b"next"[..])
            );
        }
    }
}

#[test]
fn what_breaks_the_grammar_is_a_fault() {
    let masked = frame(TEXT, true, b"x");
    let plain = written(TEXT, b"x", Side::Client);
    let with_first = |first: u8| [&[first], &masked[1..]].concat();
    let long = frame(PING, true, &[b'x'; 126]);
    for (side, bytes) in [
        (Side::Client, vec![&plain[..]]),
        (Side::Upstream, vec![&masked[..]]),
        (Side::Client, vec![&with_first(0xc1)]),
        (Side::Client, vec![&with_first(0x83)]),
        (Side::Client, vec![&with_first(0x8b)]),
        (Side::Client, vec![&frame(CONTINUE, true, b"x")]),
        (Side::Client, vec![&frame(TEXT, false, b"x"), &masked]),
        (Side::Client, vec![&frame(PING, false, b"x")]),
        (Side::Client, vec![&long]),
    ] {
        assert!(matches!(faults(side, 1000, &bytes), Fault::Protocol(_)), "{bytes:?}");
    }
}

#[test]
fn a_message_is_too_large_as_soon_as_a_head_says_so() {
    let part = frame(TEXT, false, &[b'x'; 60]);
    let more = frame(CONTINUE, false, &[b'x'; 41]);
    assert_eq!(faults(Side::Client, 100, &[&part, &more[..6]]), Fault::TooLarge);
    let endless = [0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4];
    assert_eq!(faults(Side::Client, 100, &[&endless]), Fault::TooLarge);
}

#[test]
fn what_a_control_frame_carries_is_no_part_of_a_message() {
    let part = frame(TEXT, false, &[b'x'; 60]);
    let ping = frame(PING, true, &[b'x'; 60]);
    let last = frame(CONTINUE, true, &[b'x'; 40]);
    let (mut frames, mut input) =
        (frames(Side::Client, 100), BytesMut::from(&[part, ping, last].concat()[..]));
    for _ in 0..3 {
        assert!(matches!(frames.take(&mut input), Ok(Taken::Frame(_))));
    }
    assert_eq!(frames.message, None);
}

#[tokio::test]
async fn what_a_head_promises_takes_no_memory_before_it_comes() {
    let head = [0x81, 0xff, 0, 0, 0, 0, 0x3f, 0xff, 0xff, 0xff, 1, 2, 3, 4];
    let mut reader = Reader::new(&head[..], BytesMut::new(), Side::Client, 1 << 30);
    assert_eq!(reader.next().await.unwrap_err(), Fault::Gone);
    assert!(reader.input.capacity() <= 2 * AHEAD);
}

#[test]
fn a_goodbye_is_masked_towards_the_upstream_alone() {
    assert_eq!(closing(1001, "bye", Side::Client), b"\x88\x05\x03\xe9bye");
    let mut input = BytesMut::from(&closing(1001, "bye", Side::Upstream)[..]);
    let Ok(Taken::Frame(frame)) = frames(Side::Client, 0).take(&mut input) else {
        unreachable!("it is a client's frame");
    };
    assert_eq!(frame.close_code(), Some(1001));
}
