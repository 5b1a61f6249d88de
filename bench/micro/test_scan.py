"""What scanning costs: llmgw's engines, Python's `re` one by one, and the packaged Hyperscan.

Run with `pytest bench/micro/test_scan.py --benchmark-only`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import hyperscan
import pytest

from llmgw._native import PatternSet, PiiScanner

# One full expression per entity, as a gateway without triggers and verifiers would have them.
EXPRESSIONS = (
    r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}",
    r"\+\d{1,3}[ .-]?\(?\d{1,4}\)?(?:[ .-]?\d{2,4}){2,4}",
    r"\b\d{3}[-.]\d{3}[-.]\d{4}\b",
    r"\b(?:\d[ -]?){13,16}\b",
    r"\b[A-Z]{2}\d{2}[A-Z0-9]{11,30}\b",
    r"\b\d{3}-\d{2}-\d{4}\b",
    r"\b9\d{2}-\d{2}-\d{4}\b",
    r"\b(?:\d{1,3}\.){3}\d{1,3}\b",
    r"\b(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}\b",
    r"\b(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}\b",
    r"[a-z]+://[^\s/:]+:[^\s/@]+@",
    r"\b\d{3} \d{3} \d{4}\b",
    r"\b[A-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D]\b",
    r"\b[2-9]\d{3} \d{4} \d{4}\b",
    r"\b[A-Z]{5}\d{4}[A-Z]\b",
    r"\b[12]\d{9}\b",
    r"\b\d{9}\b",
    r"\b[1-9][A-Z][A-Z0-9]\d-?[A-Z][A-Z0-9]\d-?[A-Z]{2}\d{2}\b",
    r"\b[13][1-9A-HJ-NP-Za-km-z]{25,34}\b",
    r"\b0x[0-9a-fA-F]{40}\b",
    r"\b\d{15}\b",
    r"\b[A-HJ-NPR-Z0-9]{17}\b",
    r"\b(?:19|20)\d{2}-\d{2}-\d{2}\b",
    r"eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}",
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    r"\bAKIA[A-Z2-7]{16}\b",
    r"\bgh[pousr]_[A-Za-z0-9]{36}\b",
    r"\bxox[abprs]-[A-Za-z0-9-]{10,}",
    r"\b[sr]k_live_[A-Za-z0-9]{16,}",
    r"\bsk-[A-Za-z0-9_-]{20,}",
    r"(?i)password[\"']?\s*[:=]\s*[\"']?[^\s\"']{6,}",
)
PROSE = (
    "The quarterly review went well; we shipped 14 of the 17 planned changes, and support tickets "
    "fell by 23% against the previous period. Could you summarise the attached notes (about 3,500 "
    "words) in five bullet points, and keep the tone friendly? "
)
CODE = (
    "def load(path: str, limit: int = 10_000) -> list[dict]:\n    with open(path) as file:\n"
    "        return [json.loads(line) for line in file][:limit]\n"
    "# see https://example.com/docs/v2.1/api?page=3\n"
)
LOG = (
    "2026-03-14T09:26:53.589Z INFO request id=f47ac10b-58cc-4372-a567-0e02b2c3d479 took=12.7ms "
    "status=200 bytes=18233 host=api-7f9c.internal\n"
)
CHAT = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": PROSE * 4}]})
TEXTS = {
    "1 KB chat body": CHAT[:1024].encode(),
    "4 KB mixed": (PROSE * 5 + CODE * 4 + LOG * 4 + PROSE * 5 + CODE * 4)[:4096].encode(),
    "100 KB prose": (PROSE * 500)[:102_400].encode(),
}


def one_by_one() -> Callable[[bytes], int]:
    compiled = [re.compile(expression.encode()) for expression in EXPRESSIONS]
    return lambda text: sum(1 for pattern in compiled for _ in pattern.finditer(text))


def packaged() -> Callable[[bytes], int]:
    database = hyperscan.Database()
    database.compile(
        expressions=[expression.encode() for expression in EXPRESSIONS],
        ids=list(range(len(EXPRESSIONS))),
        flags=[0] * len(EXPRESSIONS),
    )
    found: list[int] = []

    def on_match(id_: int, _start: int, _end: int, _flags: int, _context: Any) -> None:
        found.append(id_)

    def scan(text: bytes) -> int:
        found.clear()
        database.scan(text, match_event_handler=on_match)
        return len(found)

    return scan


def native(engine: str) -> Callable[[bytes], int]:
    patterns = PatternSet(list(enumerate(EXPRESSIONS)), engine)
    return lambda text: len(patterns.scan(text))


def pii(engine: str) -> Callable[[bytes], int]:
    scanner = PiiScanner(engine)
    return lambda text: len(scanner.scan(text))


SCANNERS: dict[str, Callable[[], Callable[[bytes], int]]] = {
    "PiiScanner, hyperscan": lambda: pii("hyperscan"),
    "PiiScanner, rust": lambda: pii("rust"),
    "PatternSet, hyperscan": lambda: native("hyperscan"),
    "PatternSet, rust": lambda: native("rust"),
    "hyperscan package": packaged,
    "re, one by one": one_by_one,
}


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("scanner", SCANNERS)
def test_scan(benchmark: Any, scanner: str, text: str) -> None:
    scan = SCANNERS[scanner]()
    benchmark.group = text
    benchmark.name = scanner
    assert benchmark(scan, TEXTS[text]) >= 0


@pytest.mark.parametrize("size", [4, 16, 64, 1024])
@pytest.mark.parametrize("engine", ["hyperscan", "rust"])
def test_stream(benchmark: Any, engine: str, size: int) -> None:
    patterns = PatternSet(list(enumerate(EXPRESSIONS)), engine)
    stream = patterns.stream()
    piece = (PROSE * 5).encode()[:size]
    benchmark.group = f"one piece of {size} bytes in a stream"
    assert isinstance(benchmark(stream.feed, piece), list)
