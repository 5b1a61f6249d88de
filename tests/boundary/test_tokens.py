"""Token counting across the boundary: against golden counts, and against tiktoken itself."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest
import tiktoken
from hypothesis import given, settings
from hypothesis import strategies as st

from llmgw import _native

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = json.loads((Path(__file__).parent / "golden_tokens.json").read_text())

PATTERNS = {
    "o200k": "|".join(
        [
            r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
            r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
            r"\p{N}{1,3}",
            r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
            r"\s*[\r\n]+",
            r"\s+(?!\S)",
            r"\s+",
        ]
    ),
    "cl100k": r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+"
    r"| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
}


@cache
def reference(family: str) -> tiktoken.Encoding:
    """tiktoken with the vocabulary that is committed here: it has no need to download one."""
    packed = (ROOT / "rust" / "core" / "data" / f"{family}.bin").read_bytes()
    count = int.from_bytes(packed[:4], "little")
    ranks, start = {}, 4 + count
    for rank, length in enumerate(packed[4 : 4 + count]):
        ranks[packed[start : start + length]] = rank
        start += length
    ranks.pop(b"", None)
    return tiktoken.Encoding(family, pat_str=PATTERNS[family], mergeable_ranks=ranks, special_tokens={})


def agrees(text: str) -> bool:
    """Whether both vocabularies count this text as tiktoken does."""
    return all(
        _native.count_tokens(text, family) == len(reference(family).encode_ordinary(text))
        for family in PATTERNS
    )


SCALARS = st.characters(exclude_categories=["Cs"])
BLANKS = st.sampled_from(" \t\n\r\x0b\x0c\x85\xa0\u2003\u2028\u3000")
SNAGS = st.sampled_from(
    [
        *"aBzZ'sStTdDmMlLrReEvV/\\.,-_09٣½²ⅧéßſKıİǅʰªа́日本กकিახ한",
        "\u0301",
        "\u200d",
        "😀",
        "🏽",
        " ",
    ]
)
WORDS = st.sampled_from(
    ["the", " The", "don't", "WE'LL", " naïve", "über", "日本語", "слово", " ГОСТ", "12345", "//\n"]
)


@pytest.mark.parametrize("row", GOLDEN, ids=lambda row: repr(row["text"][:20]))
def test_golden_counts_are_met(row: dict[str, object]) -> None:
    text = str(row["text"]) * int(str(row["times"]))
    counts = {family: _native.count_tokens(text, family) for family in PATTERNS}
    assert counts == {family: row[family] for family in PATTERNS}


@settings(max_examples=500, deadline=None)
@given(st.text(SCALARS, max_size=80))
def test_any_text_counts_as_in_tiktoken(text: str) -> None:
    assert agrees(text)


@settings(max_examples=1000, deadline=None)
@given(st.lists(st.one_of(SNAGS, BLANKS), max_size=60).map("".join))
def test_the_snags_of_the_patterns_count_as_in_tiktoken(text: str) -> None:
    assert agrees(text)


@settings(max_examples=500, deadline=None)
@given(st.text(BLANKS, max_size=60), st.text(SCALARS, max_size=2), st.text(BLANKS, max_size=60))
def test_white_space_counts_as_in_tiktoken(before: str, middle: str, after: str) -> None:
    assert agrees(before + middle + after)


@settings(max_examples=500, deadline=None)
@given(st.lists(st.one_of(WORDS, SNAGS, BLANKS, SCALARS), max_size=80).map("".join))
def test_mixed_scripts_count_as_in_tiktoken(text: str) -> None:
    assert agrees(text)


@settings(max_examples=100, deadline=None)
@given(st.text(st.sampled_from("abcéя日本"), min_size=50, max_size=900))
def test_long_words_count_as_in_tiktoken(text: str) -> None:
    assert agrees(text)


def test_every_character_is_classed_as_in_tiktoken() -> None:
    """Between two letters and after a space, a character of another class cuts elsewhere."""
    for start in range(0, 0x110000, 256):
        chars = [chr(code) for code in range(start, start + 256) if not 0xD800 <= code < 0xE000]
        text = "".join(f"A{char}a {char}{char}\n{char}'s" for char in chars)
        assert agrees(text), f"in the block of U+{start:04X}"


def test_a_megabyte_of_one_letter_is_counted() -> None:
    assert _native.count_tokens("a" * 1_000_000) == 125_000


def test_special_tokens_are_ordinary_text() -> None:
    assert _native.count_tokens("<|endoftext|>") > 1


def test_only_openai_families_are_exact() -> None:
    families = ["o200k", "cl100k", "claude", "gemini", "llama", "mistral", "deepseek", "qwen"]
    assert [name for name in families if _native.is_exact_family(name)] == ["o200k", "cl100k"]


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("gpt-4o-mini", "o200k"),
        ("azure/gpt-4", "cl100k"),
        ("bedrock/anthropic.claude-sonnet-4", "claude"),
        ("something-new", "other"),
    ],
)
def test_a_model_names_its_family(model: str, family: str) -> None:
    assert _native.token_family(model) == family


def test_an_unknown_family_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="o200k, cl100k, claude"):
        _native.count_tokens("x", "klingon")


def test_a_lone_surrogate_is_refused() -> None:
    with pytest.raises(UnicodeEncodeError):
        _native.count_tokens("\ud800")
