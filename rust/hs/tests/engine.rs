//! The binding against the real engine.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use llmgw_hs_sys::{Database, Error, Expression, Mode, Scratch, Sink};
use std::ffi::CString;
use std::sync::Arc;

#[derive(Default)]
struct Found(Vec<(u32, u64)>);

impl Sink for Found {
    fn accept(&mut self, id: u32, end: u64) -> bool {
        self.0.push((id, end));
        true
    }
}

fn expressions(patterns: &[&str]) -> Vec<Expression> {
    (1..)
        .zip(patterns)
        .map(|(id, p)| Expression { id, pattern: CString::new(*p).unwrap() })
        .collect()
}

fn compile(patterns: &[&str], mode: Mode) -> Database {
    Database::compile(&expressions(patterns), mode).unwrap()
}

fn scan(database: &Database, scratch: &mut Scratch, text: &[u8]) -> Vec<(u32, u64)> {
    let mut found = Found::default();
    database.scan(text, scratch, &mut found).unwrap();
    found.0.sort_unstable();
    found.0
}

#[test]
fn test_the_engine_is_hyperscan_5() {
    assert!(llmgw_hs_sys::platform_is_supported());
    assert!(llmgw_hs_sys::version().starts_with("5."));
}

#[test]
fn test_every_end_is_reported_with_its_id() {
    let database = compile(&["ab+", "b"], Mode::Block);
    let mut scratch = Scratch::new(&database).unwrap();
    assert_eq!(scan(&database, &mut scratch, b"abb"), [(1, 2), (1, 3), (2, 2), (2, 3)]);
    assert!(database.size().unwrap() > 0);
    assert_eq!(database.mode(), Mode::Block);
}

#[test]
fn test_a_scratch_can_be_cloned_and_made_to_fit_another_database() {
    let small = compile(&["a"], Mode::Block);
    let large = compile(&[r"\w{3,40}x", r"(?:foo|bar).*baz"], Mode::Block);
    let mut scratch = Scratch::new(&small).unwrap();
    scratch.fit(&large).unwrap();
    let mut second = scratch.try_clone().unwrap();
    assert_eq!(scan(&small, &mut scratch, b"ba"), [(1, 2)]);
    assert_eq!(scan(&large, &mut second, b"foo baz"), [(2, 7)]);
}

#[test]
fn test_a_refused_expression_is_named_by_its_place() {
    let error = Database::compile(&expressions(&["fine", "a("]), Mode::Block).unwrap_err();
    let Error::Compile(place, reason) = error else { unreachable!("{error}") };
    assert_eq!(place, Some(1));
    assert!(!reason.is_empty());
}

#[test]
fn test_a_sink_can_stop_the_scan() {
    struct Once(usize);
    impl Sink for Once {
        fn accept(&mut self, _: u32, _: u64) -> bool {
            self.0 += 1;
            false
        }
    }
    let database = compile(&["a"], Mode::Block);
    let mut scratch = Scratch::new(&database).unwrap();
    let mut once = Once(0);
    assert_eq!(database.scan(b"aaa", &mut scratch, &mut once), Err(Error::Stopped));
    assert_eq!(once.0, 1);
}

#[test]
fn test_a_panic_in_a_sink_stops_the_scan_and_goes_no_further() {
    struct Panics;
    impl Sink for Panics {
        fn accept(&mut self, _: u32, _: u64) -> bool {
            panic!("on purpose")
        }
    }
    let database = compile(&["a"], Mode::Block);
    let mut scratch = Scratch::new(&database).unwrap();
    assert_eq!(database.scan(b"aaa", &mut scratch, &mut Panics), Err(Error::Stopped));
    assert_eq!(scan(&database, &mut scratch, b"a"), [(1, 1)]);
}

#[test]
fn test_a_database_survives_serialisation() {
    let bytes = compile(&["ab", "c$"], Mode::Block).serialize().unwrap();
    // SAFETY: the bytes were just written by `serialize`.
    let database = unsafe { Database::deserialize(&bytes, Mode::Block) }.unwrap();
    let mut scratch = Scratch::new(&database).unwrap();
    assert_eq!(scan(&database, &mut scratch, b"abc"), [(1, 2), (2, 3)]);
}

#[test]
fn test_bytes_that_are_no_database_are_refused() {
    // SAFETY: the engine checks the magic number and the checksum before it trusts anything.
    assert!(unsafe { Database::deserialize(&[7; 64], Mode::Block) }.is_err());
}

#[test]
fn test_a_stream_reports_across_pieces_and_at_the_end() {
    let database = Arc::new(compile(&["abc", r"c\z"], Mode::Stream));
    let mut scratch = Scratch::new(&database).unwrap();
    let mut found = Found::default();
    let mut stream = database.open_stream().unwrap();
    stream.feed(b"xa", &mut scratch, &mut found).unwrap();
    stream.feed(b"bc", &mut scratch, &mut found).unwrap();
    assert_eq!(found.0, [(1, 4)]);
    stream.reset(&mut scratch, &mut found).unwrap();
    assert_eq!(found.0, [(1, 4), (2, 4)]);
    stream.feed(b"abc", &mut scratch, &mut found).unwrap();
    stream.close(&mut scratch, &mut found).unwrap();
    assert_eq!(found.0[2..], [(1, 3), (2, 3)]);
    assert!(database.stream_size().unwrap() > 0);
}

#[test]
fn test_a_stream_may_be_dropped_and_outlives_its_owner_of_the_database() {
    let database = Arc::new(compile(&["a"], Mode::Stream));
    let mut scratch = Scratch::new(&database).unwrap();
    let mut stream = database.open_stream().unwrap();
    drop(database);
    let mut found = Found::default();
    stream.feed(b"a", &mut scratch, &mut found).unwrap();
    assert_eq!(found.0, [(1, 1)]);
    assert_eq!(stream.database().mode(), Mode::Stream);
}
