#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;

fn engines() -> Vec<Choice> {
    if cfg!(feature = "hyperscan") {
        vec![Choice::Hyperscan, Choice::Rust]
    } else {
        vec![Choice::Rust]
    }
}

fn set(expressions: &[&str], choice: Choice) -> PatternSet {
    let patterns: Vec<Pattern> =
        (10..).zip(expressions).map(|(id, e)| Pattern::new(id, *e)).collect();
    PatternSet::compile(&patterns, choice).unwrap()
}

fn spans(set: &PatternSet, text: &[u8]) -> Vec<(u32, usize, usize)> {
    let mut spans = Vec::new();
    set.spans(text, &mut spans).unwrap();
    spans.iter().map(|s| (s.id, s.start, s.end)).collect()
}

fn stream(set: &PatternSet, pieces: &[&[u8]]) -> Vec<Vec<(u32, u64)>> {
    let mut stream = set.open().unwrap();
    let mut found = Vec::new();
    for piece in pieces {
        let mut ends = Vec::new();
        stream.feed(piece, &mut ends).unwrap();
        found.push(ends);
    }
    let mut ends = Vec::new();
    stream.close(&mut ends).unwrap();
    found.push(ends);
    found.iter().map(|ends| ends.iter().map(|e| (e.pattern, e.offset)).collect()).collect()
}

#[test]
fn test_overlapping_ends_become_one_span() {
    for choice in engines() {
        assert_eq!(spans(&set(&[r"\d{4,8}"], choice), b"a 12345678 b"), [(10, 2, 10)]);
        assert_eq!(spans(&set(&["aba"], choice), b"ababa aba"), [(10, 0, 5), (10, 6, 9)]);
    }
}

#[test]
fn test_touching_matches_stay_apart() {
    for choice in engines() {
        assert_eq!(spans(&set(&["ab"], choice), b"abab"), [(10, 0, 2), (10, 2, 4)]);
    }
}

#[test]
fn test_spans_of_several_patterns_are_sorted_by_place() {
    for choice in engines() {
        let set = set(&["b+", "ab"], choice);
        assert_eq!(spans(&set, b"abb"), [(11, 0, 2), (10, 1, 3)]);
    }
}

#[test]
fn test_a_stream_reports_every_end() {
    for choice in engines() {
        let found = stream(&set(&[r"\d{4,8}"], choice), &[b"123", b"45678"]);
        assert_eq!(found[1], [(10, 4), (10, 5), (10, 6), (10, 7), (10, 8)]);
    }
}

#[test]
fn test_a_word_boundary_at_the_edge_is_reported_by_the_next_piece_or_the_close() {
    for choice in engines() {
        let ssn = set(&[r"\b\d{3}-\d{2}-\d{4}\b"], choice);
        let found = stream(&ssn, &[b"x 536-22-1234", b" y 536-22-1235"]);
        assert_eq!(found, [vec![], vec![(10, 13)], vec![(10, 27)]]);
    }
}

#[test]
fn test_an_end_with_a_second_way_to_match_is_reported_once() {
    let expression = r"(?:[^a]\|+\w|(?:[\w.-]{2}|@0)-[ab01]\b|[^a]){2,6}-?";
    for choice in engines() {
        let found = stream(&set(&[expression], choice), &[b"_A_1-1", b"", b" ", b"-"]);
        let all: Vec<_> = found.concat();
        let mut distinct = all.clone();
        distinct.dedup();
        assert_eq!(all, distinct);
        assert_eq!(found[0].last(), Some(&(10, 6)));
    }
}

#[test]
fn test_pieces_of_a_stream_may_split_a_code_point() {
    for choice in engines() {
        let found = stream(&set(&["é!"], choice), &[b"caf\xc3", b"\xa9", b"!"]);
        assert_eq!(found, [vec![], vec![], vec![(10, 6)], vec![]]);
    }
}

#[test]
fn test_flags_and_classes_mean_the_same_to_both_engines() {
    let table: [(&str, &[u8], bool); 14] = [
        (r"(?i)straße", "STRAßE".as_bytes(), true),
        (r"a.b", b"a\nb", false),
        (r"(?s)a.b", b"a\nb", true),
        (r"a$", b"a\n", false),
        (r"(?m)a$", b"a\nb", true),
        (r"(?m)^b", b"a\nb", true),
        (r"^b", b"a\nb", false),
        (r"a\sb", b"a\x0bb", true),
        (r"a\sb", b"a\xa0b", false),
        (r"\w+", "é".as_bytes(), false),
        (r"[^a]b", b"\xffb", true),
        (r"(?u:[äö])b", "öb".as_bytes(), true),
        (r"a\x00b", b"a\0b", true),
        (r"[[:alpha:]&&[^x]]1", b"x1", false),
    ];
    for choice in engines() {
        for (expression, text, expected) in table {
            let found = !spans(&set(&[expression], choice), text).is_empty();
            assert_eq!(found, expected, "{expression} with {choice:?}");
        }
    }
}

#[test]
fn test_flags_of_a_pattern_are_those_of_its_syntax() {
    let flags = Flags { caseless: true, dotall: true, multiline: true };
    let pattern = Pattern { id: 0, expression: "^a.b$".into(), flags };
    for choice in engines() {
        let set = PatternSet::compile(std::slice::from_ref(&pattern), choice).unwrap();
        assert_eq!(spans(&set, b"x\nA\nB\ny"), [(0, 2, 5)]);
    }
}

#[test]
fn test_a_refused_pattern_is_named() {
    let table = [
        ("a(", "unclosed group"),
        ("a*", "matches the empty text"),
        (r"\b", "matches the empty text"),
        ("[a&&b]", "can never match"),
        (r"(a)\1", "backreferences are not supported"),
        ("(?=a)b", "look-around"),
        (r"(?:\w{1000}){1000}", "too large"),
        (r"(?u:\b)a", "Unicode word boundaries"),
        (r"\b{start}a", "one-sided"),
    ];
    for choice in engines() {
        for (expression, reason) in table {
            let patterns = [Pattern::new(1, "fine"), Pattern::new(7, expression)];
            let error = PatternSet::compile(&patterns, choice).unwrap_err().to_string();
            assert!(error.starts_with("pattern 7"), "{error}");
            assert!(error.contains(reason), "{error}");
        }
    }
}

#[test]
fn test_an_expression_may_not_be_longer_than_the_limit() {
    let error = PatternSet::compile(&[Pattern::new(3, "a".repeat(5000))], Choice::Auto);
    let message = error.unwrap_err().to_string();
    assert!(message.contains("pattern 3") && message.contains("4096"), "{message}");
    assert!(message.len() < 200);
}

#[test]
fn test_two_patterns_cannot_share_an_id() {
    let patterns = [Pattern::new(1, "a"), Pattern::new(1, "b")];
    assert!(PatternSet::compile(&patterns, Choice::Auto).is_err());
}

#[test]
fn test_too_many_matches_fail_the_scan_instead_of_passing_half() {
    for choice in engines() {
        let set = set(&["a"], choice);
        let mut found = Vec::new();
        assert_eq!(set.spans(&[b'a'; MAX_ENDS + 1], &mut found), Err(ScanError::TooManyMatches));
        let mut ends = Vec::new();
        let mut stream = set.open().unwrap();
        assert_eq!(stream.feed(&[b'a'; MAX_ENDS + 1], &mut ends), Err(ScanError::TooManyMatches));
        assert_eq!((found.len(), ends.len()), (0, 0));
        assert_eq!(spans(&set, b"xa"), [(10, 1, 2)]);
    }
}

#[test]
fn test_endless_overlap_fails_the_scan() {
    for choice in engines() {
        let text = [[b'a'; 100_000].as_slice(), &[b'b'; 4000]].concat();
        let mut found = Vec::new();
        let outcome = set(&["a.*b"], choice).spans(&text, &mut found);
        assert_eq!(outcome, Err(ScanError::TooManyMatches));
    }
}

#[test]
fn test_a_failed_scan_is_refused_by_the_guardrail() {
    let error = Error::from(ScanError::TooManyMatches);
    assert_eq!(error.class, Class::GuardrailBlocked);
}

#[test]
fn test_a_set_is_shared_by_threads_and_each_scans_alone() {
    for choice in engines() {
        let shared = set(&[r"\d+x", "y+"], choice);
        let other = set(&["z"], choice);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        assert_eq!(spans(&shared, b"a 12x yy"), [(10, 2, 5), (11, 6, 8)]);
                        assert_eq!(spans(&other, b"a z"), [(10, 2, 3)]);
                    }
                });
            }
        });
    }
}

#[test]
fn test_streams_of_one_set_do_not_disturb_each_other() {
    for choice in engines() {
        let set = set(&["abc"], choice);
        let (mut first, mut second) = (set.open().unwrap(), set.open().unwrap());
        let (mut a, mut b) = (Vec::new(), Vec::new());
        first.feed(b"xa", &mut a).unwrap();
        second.feed(b"ab", &mut b).unwrap();
        first.feed(b"bc", &mut a).unwrap();
        second.feed(b"c", &mut b).unwrap();
        assert_eq!((a[0].offset, b[0].offset), (4, 3));
    }
}

#[cfg(feature = "hyperscan")]
#[test]
fn test_auto_falls_back_to_rust_when_hyperscan_refuses_a_pattern() {
    let patterns = [Pattern::new(5, "a(?m:^b)?c^d|x")];
    let refused = PatternSet::compile(&patterns, Choice::Hyperscan).unwrap_err().to_string();
    assert!(refused.starts_with("pattern 5"), "{refused}");
    assert_eq!(PatternSet::compile(&patterns, Choice::Auto).unwrap().engine(), "rust");
}
