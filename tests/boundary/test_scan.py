"""`PatternSet` and `PatternStream` from Python, against `re` and a second engine."""

from __future__ import annotations

import importlib.util
import random
import sys
import threading
from pathlib import Path
from types import ModuleType

import hyperscan
import pytest

from llmgw._native import PatternSet

ENGINES = ("hyperscan", "rust")
SCRIPT = Path(__file__).parents[2] / "scripts" / "scan_fuzz.py"


def load_fuzz() -> ModuleType:
    spec = importlib.util.spec_from_file_location("scan_fuzz", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


fuzz = load_fuzz()


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def test_auto_takes_hyperscan_where_it_can() -> None:
    assert PatternSet([(1, "abc")]).engine == "hyperscan"
    assert PatternSet([(1, "a(?m:^b)?c^d|x")]).engine == "rust"


def test_spans_carry_the_ids_they_were_given(engine: str) -> None:
    patterns = PatternSet([(70, r"\bba[rz]\b"), (7, "fo+")], engine)
    assert patterns.engine == engine
    assert patterns.scan(b"foo bar baz") == [(7, 0, 3), (70, 4, 7), (70, 8, 11)]


def test_overlapping_matches_become_one_span(engine: str) -> None:
    patterns = PatternSet([(1, r"\d{4,8}"), (2, "aba")], engine)
    assert patterns.scan(b"12345678 ababa") == [(1, 0, 8), (2, 9, 14)]


def test_a_stream_finds_the_same_wherever_it_is_cut(engine: str) -> None:
    text = b"call 536-22-1234 or 536-22-1235."
    patterns = PatternSet([(1, r"\b\d{3}-\d{2}-\d{4}\b"), (2, r"\d\.\z")], engine)
    for cut in range(len(text) + 1):
        stream = patterns.stream()
        ends = stream.feed(text[:cut]) + stream.feed(text[cut:]) + stream.close()
        assert ends == [(1, 16), (1, 31), (2, 32)]


def test_an_end_at_a_word_boundary_waits_for_the_next_byte(engine: str) -> None:
    stream = PatternSet([(1, r"\d+\b")], engine).stream()
    assert stream.feed(b"12") == []
    assert stream.feed(b"3 ") == [(1, 3)]
    assert stream.feed(b"4") == []
    assert stream.close() == [(1, 5)]


def test_a_closed_stream_takes_no_more(engine: str) -> None:
    stream = PatternSet([(1, "a")], engine).stream()
    stream.close()
    with pytest.raises(RuntimeError, match="closed"):
        stream.feed(b"a")
    with pytest.raises(RuntimeError, match="closed"):
        stream.close()


def test_a_stream_that_failed_stays_failed(engine: str) -> None:
    stream = PatternSet([(1, "a")], engine).stream()
    with pytest.raises(OverflowError):
        stream.feed(b"a" * 4097)
    with pytest.raises(RuntimeError, match="failed"):
        stream.feed(b"b")


def test_too_many_matches_are_an_error_and_not_half_an_answer(engine: str) -> None:
    patterns = PatternSet([(1, "a")], engine)
    assert len(patterns.scan(b"a" * 4096)) == 4096
    with pytest.raises(OverflowError, match="too many matches"):
        patterns.scan(b"a" * 4097)


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("a(", "unclosed group"),
        ("a*", "empty text"),
        (r"(a)\1", "backreferences"),
        ("(?<=a)b", "look-around"),
        (r"(?:\w{1000}){1000}", "too large"),
        ("a" * 5000, "longer than 4096"),
    ],
)
def test_a_refused_pattern_is_named(engine: str, expression: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        PatternSet([(1, "fine"), (42, expression)], engine)
    assert str(caught.value).startswith("pattern 42")


def test_what_hyperscan_alone_refuses_is_named_too() -> None:
    with pytest.raises(ValueError, match=r"pattern 42 .*[Ee]mbedded start anchors"):
        PatternSet([(1, "fine"), (42, "ab^c|x")], "hyperscan")


@pytest.mark.parametrize("patterns", [[], [(1, "a"), (1, "b")]])
def test_a_set_needs_patterns_with_ids_of_their_own(patterns: list[tuple[int, str]]) -> None:
    with pytest.raises(ValueError, match="pattern"):
        PatternSet(patterns)


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(ValueError, match="'auto', 'hyperscan' or 'rust'"):
        PatternSet([(1, "a")], "pcre")


def test_threads_share_a_set(engine: str) -> None:
    patterns = PatternSet([(1, r"\d+x"), (2, "y+")], engine)
    text = b" 12x yy" * 1000
    expected = patterns.scan(text)
    answers: list[bool] = []
    threads = [
        threading.Thread(target=lambda: answers.extend(patterns.scan(text) == expected for _ in range(20)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(expected) == 2000
    assert answers == [True] * 80


def test_ten_thousand_random_cases_agree_with_re() -> None:
    tally = fuzz.compare(seed=2026, cases=10_000)
    assert tally.cases >= 10_000
    assert tally.disagreements == []


def test_the_fuzzer_notices_an_engine_that_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    right = fuzz.native_syntax
    monkeypatch.setattr(fuzz, "native_syntax", lambda body, flags: right(body, flags + "s"))
    assert fuzz.compare(seed=1, cases=2_000).disagreements != []


def test_random_cases_agree_with_the_packaged_hyperscan_where_that_agrees_with_re() -> None:
    """The package links Vectorscan, which is known to miss matches: `re` has the last word."""
    rng, tally = random.Random(5), fuzz.Tally()
    source = fuzz.compiled(rng, tally)
    sided_with_us = compared = 0
    for _ in range(60):
        pattern, flags = next(source)
        other = packaged(pattern, flags)
        if other is None:
            continue
        ours = PatternSet([(0, fuzz.native_syntax(pattern, flags))], "hyperscan")
        oracle = fuzz.Oracle(pattern, flags, 24)
        for _ in range(20):
            text = fuzz.random_text(rng, 24)
            ends = fuzz.stream_ends(ours, text, rng)
            compared += 1
            if ends != packaged_ends(other, text):
                assert ends == {(0, end) for end in oracle.starts(text)}
                sided_with_us += 1
    assert compared > 500
    assert sided_with_us < compared / 20


def packaged(pattern: str, flags: str) -> hyperscan.Database | None:
    expression = pattern.replace(r"\Z", r"\z")
    bits = sum({"i": 1, "s": 2, "m": 4}[flag] for flag in flags)
    database = hyperscan.Database()
    try:
        database.compile(expressions=[expression.encode()], ids=[0], flags=[bits])
    except hyperscan.error:
        return None
    return database


def packaged_ends(database: hyperscan.Database, text: bytes) -> set[tuple[int, int]]:
    ends = set()

    def on_match(id_: int, _start: int, end: int, _flags: int, _context: object) -> None:
        ends.add((id_, end))

    database.scan(text, match_event_handler=on_match)
    return ends
