"""Compare llmgw's matching engines with Python's `re` on random patterns and random texts.

Run with `python scripts/scan_fuzz.py --cases 1000000`.

A case is one pattern and one text. For every offset of the text, `re` says whether a match of the
pattern ends there, and where its leftmost start is; both engines have to report the same ends from a
stream cut at random places, and the same joined spans from a scan. Exits with 1 on a disagreement.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from llmgw._native import PatternSet

ENGINES = ("hyperscan", "rust")
PATTERNS_PER_SET = 8
TEXTS_PER_SET = 25
LETTERS = "abAB01 -_.@:\n"
ATOMS = (
    *"ab01",
    "A",
    r"\-",
    r"\.",
    "@",
    ":",
    " ",
    r"\|",
    ".",
    r"\d",
    r"\D",
    r"\w",
    r"\W",
    r"\s",
    r"\S",
    "[ab]",
    "[^a]",
    "[a-b0-1]",
    "[^\\n]",
    "[=: ]",
    r"[\w.-]",
)
LOOKS = (r"\b", r"\B", "^", r"\Z")
REPEATS = ("?", "{2}", "{1,3}", "{2,6}", "*", "+", "{2,}")
UNBOUNDED = re.compile(r"[*+]|,\}")


@dataclass
class Tally:
    """What a run came to."""

    cases: int = 0
    refused: int = 0
    disagreements: list[str] = field(default_factory=list)


def random_pattern(rng: random.Random, depth: int = 2) -> str:
    """A pattern in the syntax that `re` and llmgw share; it may match the empty text."""
    parts = []
    for _ in range(rng.randint(1, 4)):
        part = rng.choice(ATOMS)
        if depth and rng.random() < 0.25:
            branches = (random_pattern(rng, depth - 1) for _ in range(rng.randint(1, 3)))
            part = "(?:" + "|".join(branches) + ")"
        elif rng.random() < 0.12:
            parts.append(rng.choice(LOOKS))
        if rng.random() < 0.35:
            # Endless repeats within endless repeats take `re` forever, and no other engine longer.
            nested = part.startswith("(") and UNBOUNDED.search(part)
            part += rng.choice(REPEATS[:3] if nested else REPEATS)
        parts.append(part)
    if rng.random() < 0.08:
        parts.append(rng.choice(LOOKS))
    return "".join(parts)


def random_flags(rng: random.Random) -> str:
    """Inline flags, mostly none."""
    return rng.choice(("", "", "", "", "i", "s", "m", "is", "im"))


def random_text(rng: random.Random, length: int) -> bytes:
    """Bytes near the patterns' alphabet, sometimes with bytes beyond ASCII."""
    alphabet = LETTERS.encode() + (b"|=\xc3\xa9\xff\x00" if rng.random() < 0.3 else b"")
    return bytes(rng.choices(alphabet, k=length))


class Oracle:
    """Every end of a pattern in texts of one length, by `re`."""

    def __init__(self, pattern: str, flags: str, length: int) -> None:
        prefix = f"(?{flags})".encode() if flags else b""
        body = pattern.encode()
        self._ending_at = {
            end: re.compile(prefix + b"(?:%b)(?=(?s:.{%d})\\Z)" % (body, length - end))
            for end in range(1, length + 1)
        }

    def starts(self, text: bytes) -> dict[int, int]:
        """The leftmost start for each end; matches of the empty text do not count."""
        found = {}
        for end, pattern in self._ending_at.items():
            match = pattern.search(text)
            if match and match.start() < end:
                found[end] = match.start()
        return found


def joined(starts: dict[int, int]) -> list[tuple[int, int]]:
    """The maximal runs covered by overlapping matches."""
    spans: list[tuple[int, int]] = []
    for end in sorted(starts):
        start = starts[end]
        while spans and spans[-1][1] > start:
            start = min(start, spans.pop()[0])
        spans.append((start, end))
    return spans


def native_syntax(pattern: str, flags: str) -> str:
    r"""The same pattern for llmgw, which writes the very end as `\z`."""
    body = pattern.replace(r"\Z", r"\z")
    return f"(?{flags}){body}" if flags else body


def stream_ends(patterns: PatternSet, text: bytes, rng: random.Random) -> set[tuple[int, int]]:
    """The ends reported by a stream that is fed random pieces; none may come twice."""
    stream, ends, at = patterns.stream(), list[tuple[int, int]](), 0
    while at < len(text):
        step = rng.randint(0, 9)
        ends += stream.feed(text[at : at + step])
        at += step
    ends += stream.close()
    if len(ends) != len(set(ends)):
        raise AssertionError("an end was reported twice")
    return set(ends)


def compiled(rng: random.Random, tally: Tally) -> Iterator[tuple[str, str]]:
    """Random patterns that every engine takes, as pattern and flags."""
    while True:
        pattern, flags = random_pattern(rng), random_flags(rng)
        try:
            for engine in ENGINES:
                PatternSet([(0, native_syntax(pattern, flags))], engine)
        except ValueError:
            tally.refused += 1
        else:
            yield pattern, flags


def compare(seed: int, cases: int, tally: Tally | None = None) -> Tally:
    """Run `cases` cases from `seed`; the same seed gives the same cases."""
    tally = tally or Tally()
    rng = random.Random(seed)
    source = compiled(rng, tally)
    goal = tally.cases + cases
    while tally.cases < goal:
        chosen = [next(source) for _ in range(PATTERNS_PER_SET)]
        compare_set(chosen, rng, tally)
    return tally


def compare_set(chosen: list[tuple[str, str]], rng: random.Random, tally: Tally) -> None:
    """Compare one set of patterns on texts of one length."""
    numbered = list(enumerate(native_syntax(*pattern) for pattern in chosen))
    sets = {engine: PatternSet(numbered, engine) for engine in ENGINES}
    length = rng.randint(1, 28)
    oracles = [Oracle(pattern, flags, length) for pattern, flags in chosen]
    for _ in range(TEXTS_PER_SET):
        text = random_text(rng, length)
        expected = [oracle.starts(text) for oracle in oracles]
        ends = {(index, end) for index, starts in enumerate(expected) for end in starts}
        spans = sorted(
            (start, end, index) for index, starts in enumerate(expected) for start, end in joined(starts)
        )
        for engine, patterns in sets.items():
            streamed = stream_ends(patterns, text, rng)
            scanned = [(start, end, index) for index, start, end in patterns.scan(text)]
            if streamed != ends or scanned != spans:
                wrong = {index for index, _ in streamed ^ ends}
                wrong |= {index for *_, index in set(scanned) ^ set(spans)}
                tally.disagreements += [f"{engine}: {chosen[i]} on {text!r}" for i in wrong]
        tally.cases += len(chosen)


def main() -> int:
    """Run the cases asked for; 1 if an engine disagrees."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    tally, began = Tally(), time.perf_counter()
    for seed in range(options.seed, options.seed + max(1, options.cases // 10_000)):
        compare(seed, min(options.cases, 10_000), tally)
        if tally.disagreements:
            break
    seconds = time.perf_counter() - began
    print(f"{tally.cases} cases, {tally.refused} patterns refused, {seconds:.0f} s")
    for line in tally.disagreements[:20]:
        print(line)
    return 1 if tally.disagreements else 0


if __name__ == "__main__":
    sys.exit(main())
