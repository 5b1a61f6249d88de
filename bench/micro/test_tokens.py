"""Token counting: llmgw beside tiktoken, on text neither has seen as a whole.

    pytest bench/micro/test_tokens.py --benchmark-group-by=group

Each round counts the next text of a long list, so no round repeats a text before all have been
counted. What either keeps of single words is part of how it works, and is warm.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from pathlib import Path

import pytest
import tiktoken
from llmgw import _native
from pytest_benchmark.fixture import BenchmarkFixture

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


COUNTERS: dict[str, Callable[[str], int]] = {
    "llmgw": _native.count_tokens,
    "tiktoken": lambda text, encoding=from_our_data(): len(encoding.encode_ordinary(text)),  # type: ignore[misc]
}


def sentences(kind: str) -> list[str]:
    """Lines of real text: the documentation and the code of this repository, or many scripts."""
    if kind == "scripts":
        golden = (ROOT / "tests" / "boundary" / "golden_tokens.json").read_text(encoding="utf-8")
        lines = [line.encode().decode("unicode_escape", "replace") for line in golden.split('"')]
        return [
            line.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            for line in lines
            if len(line) > 40
        ]
    patterns = {"english": ["rust/**/*.rs"], "code": ["rust/**/*.rs", "**/*.py"]}[kind]
    files = sorted(path for pattern in patterns for path in ROOT.glob(pattern))
    lines = [line for path in files for line in path.read_text(encoding="utf-8").splitlines()]
    if kind == "english":
        return [
            text
            for line in lines
            if (text := line.strip().removeprefix("//").lstrip("/! "))
            and line.strip().startswith(("//!", "///"))
        ]
    return lines


def fresh_texts(kind: str, size: int) -> list[str]:
    """Texts of `size` bytes each, the lines shuffled anew for each."""
    shuffle = random.Random(f"{kind}{size}")
    lines = sentences(kind)
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
    counted = benchmark.pedantic(
        count, setup=lambda: ((next(following),), {}), rounds=4 * TEXTS if size < 50_000 else TEXTS
    )
    assert counted > size // 20
