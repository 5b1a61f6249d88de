"""`PiiScanner` from Python."""

from __future__ import annotations

import json
import random

import pytest

from llmgw._native import PiiScanner

ENGINES = ("hyperscan", "rust")
CASES = {
    "EMAIL_ADDRESS": ["jane.doe@example.com", "o'brien@mail.example.org"],
    "CREDIT_CARD": ["4111 1111 1111 1111", "5500005555555559", "3782-822463-10005"],
    "IBAN_CODE": ["GB82 WEST 1234 5698 7654 32", "DE89370400440532013000"],
    "US_SSN": ["536-22-1234", "536 22 1234"],
    "PHONE_NUMBER": ["+49 30 901820", "(415) 555-0132", "415-555-0132"],
    "IP_ADDRESS": ["203.0.113.7", "2001:db8:85a3::8a2e:370:7334"],
    "MAC_ADDRESS": ["00:1B:44:11:3A:B7"],
    "IN_AADHAAR": ["2341 2341 2346"],
    "UK_NINO": ["AB123456C"],
    "US_MBI": ["1EG4-TE5-MK72"],
    "CRYPTO_WALLET": ["bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"],
    "AWS_ACCESS_KEY": ["AKIAIOSFODNN7EXAMPLE"],
    "OPENAI_KEY": ["sk-proj-abc123DEF456ghi789_JKL-0"],
}
FRAMES = (
    "{}",
    "it is {}.",
    "({})",
    '"{}"',
    "a\n{}\nb",
    "x={};",
    "<b>{}</b>",
    "| {} |",
    "数字{}。",
)


@pytest.fixture(scope="module", params=ENGINES)
def scanner(request: pytest.FixtureRequest) -> PiiScanner:
    found = PiiScanner(request.param)
    assert found.engine == request.param
    return found


def kinds(scanner: PiiScanner, text: str) -> list[tuple[str, str]]:
    data = text.encode()
    return [(kind, data[start:end].decode()) for kind, start, end, _ in scanner.scan(data)]


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize(("kind", "values"), CASES.items())
def test_values_are_found_in_every_frame(
    scanner: PiiScanner, kind: str, values: list[str], frame: str
) -> None:
    for value in values:
        assert kinds(scanner, frame.format(value)) == [(kind, value)]


@pytest.mark.parametrize(("kind", "values"), CASES.items())
def test_values_are_found_in_a_request_body_as_it_is_on_the_wire(
    scanner: PiiScanner, kind: str, values: list[str]
) -> None:
    for value in values:
        content = f'line one\n{value}\t"quoted"\\n{value}'
        body = {"model": "m", "messages": [{"role": "user", "content": content}]}
        assert kinds(scanner, json.dumps(body)) == [(kind, value)] * 2


def test_scores_lie_between_the_threshold_and_one(scanner: PiiScanner) -> None:
    text = " ".join(value for values in CASES.values() for value in values)
    scores = [score for *_, score in scanner.scan(text.encode())]
    assert len(scores) >= len(CASES)
    assert all(0.59 < score <= 1 for score in scores)


def test_context_decides_about_bare_digits(scanner: PiiScanner) -> None:
    assert kinds(scanner, "order 536221234") == []
    assert kinds(scanner, '{"ssn": "536221234"}') == [("US_SSN", "536221234")]
    assert kinds(scanner, "NPI 1234567893") == [("US_NPI", "1234567893")]


def test_the_own_keys_are_found(scanner: PiiScanner) -> None:
    assert kinds(scanner, "use sk-gw-abcdefghijklmnop1234") == [("LLMGW_KEY", "sk-gw-abcdefghijklmnop1234")]


def test_an_empty_text_and_any_bytes_are_fine(scanner: PiiScanner) -> None:
    assert scanner.scan(b"") == []
    assert scanner.scan(bytes(range(256)) * 40) == []


def test_a_long_text_is_scanned_whole(scanner: PiiScanner) -> None:
    text = b"nothing here, " * 20_000 + b"but jane@example.com"
    assert [(kind, end) for kind, _, end, _ in scanner.scan(text)] == [("EMAIL_ADDRESS", len(text))]


def test_a_text_that_triggers_all_over_is_an_error(scanner: PiiScanner) -> None:
    with pytest.raises(OverflowError, match="too many matches"):
        scanner.scan(b"(1+1" * 20_000)


def test_both_engines_find_the_same_in_random_mixtures() -> None:
    hyperscan, rust = (PiiScanner(engine) for engine in ENGINES)
    rng = random.Random(11)
    values = [value for group in CASES.values() for value in group]
    found = 0
    for _ in range(3_000):
        parts = [
            rng.choice(values)[: rng.randint(1, 40)] + rng.choice("  ,;-.:/@=\n\"'x7")
            for _ in range(rng.randint(1, 8))
        ]
        text = "".join(parts).encode()
        expected = hyperscan.scan(text)
        assert rust.scan(text) == expected
        found += len(expected)
    assert found > 3_000
