"""Token counting: llmgw beside tiktoken, on text neither has seen as a whole.

    pytest bench/micro/test_tokens.py --benchmark-group-by=group

Each round counts the next text of a long list, so no round repeats a text before all have been
counted. What either keeps of single words is part of how it works, and is warm.
"""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest
import tiktoken
from pytest_benchmark.fixture import BenchmarkFixture

from llmgw import _native

ROOT = Path(__file__).resolve().parents[2]
TEXTS = 64

PATTERN = "|".join(
    [
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    ]
)


def from_our_data() -> tiktoken.Encoding:
    """tiktoken's o200k, with the vocabulary that is committed here."""
    packed = (ROOT / "rust" / "core" / "data" / "o200k.bin").read_bytes()
    count = int.from_bytes(packed[:4], "little")
    ends = itertools.accumulate(packed[4 : 4 + count], initial=4 + count)
    ranks = {packed[a:b]: rank for rank, (a, b) in enumerate(itertools.pairwise(ends)) if a < b}
    return tiktoken.Encoding("o200k", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens={})


def with_tiktoken() -> Callable[[str], int]:
    """Counting as one does with tiktoken."""
    encoding = from_our_data()
    return lambda text: len(encoding.encode_ordinary(text))


COUNTERS = {"llmgw": _native.count_tokens, "tiktoken": with_tiktoken()}


def lines_of(kind: str) -> list[str]:
    """Lines of real text: the prose in this repository's Rust, its code, or the golden texts."""
    if kind == "scripts":
        golden = json.loads((ROOT / "tests" / "boundary" / "golden_tokens.json").read_text())
        return [row["text"] for row in golden if len(row["text"]) > 30]
    lines = [
        line.strip() if kind == "english" else line
        for path in sorted([*ROOT.glob("rust/**/*.rs"), *ROOT.glob("python/**/*.py*")])
        if path.suffix in {".rs", ".py", ".pyi"}
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    if kind == "english":
        return [line.lstrip("/! ") for line in lines if line.startswith(("//!", "///"))]
    return lines


def fresh_texts(kind: str, size: int) -> list[str]:
    """Texts of `size` bytes each, the lines shuffled anew for each."""
    shuffle = random.Random(f"{kind}{size}")
    lines = lines_of(kind)
    texts = []
    for _ in range(TEXTS):
        text = ""
        while len(text.encode()) < size:
            text += "\n".join(shuffle.sample(lines, min(40, len(lines)))) + "\n"
        texts.append(text.encode()[:size].decode("utf-8", "ignore"))
    return texts


@pytest.mark.parametrize("counter", COUNTERS)
@pytest.mark.parametrize("size", [1_000, 10_000, 100_000], ids=["1KB", "10KB", "100KB"])
@pytest.mark.parametrize("kind", ["english", "code", "scripts"])
def test_counting(benchmark: BenchmarkFixture, kind: str, size: int, counter: str) -> None:
    count = COUNTERS[counter]
    texts = fresh_texts(kind, size)
    count(texts[0])
    benchmark.group = f"{kind} {size // 1000} KB"
    following = itertools.cycle(texts)
    counted = benchmark.pedantic(  # type: ignore[no-untyped-call]
        count, setup=lambda: ((next(following),), {}), rounds=4 * TEXTS if size < 50_000 else TEXTS
    )
    assert counted > size // 20
