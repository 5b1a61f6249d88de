"""The spellings of a model's name."""

import pytest

from llmgw.providers.names import spellings

CLAUDE = "anthropic.claude-sonnet-4-5"


@pytest.mark.parametrize(
    ("written", "found_as"),
    [
        ("gpt-4o", "gpt-4o"),
        ("groq/llama-3", "llama-3"),
        ("groq/openai/gpt-oss", "openai/gpt-oss"),
        ("gpt-4o-2024-11-20", "gpt-4o"),
        ("claude-sonnet-4-5-20250929", "claude-sonnet-4-5"),
        ("claude-sonnet-4-5@20250929", "claude-sonnet-4-5"),
        ("claude-sonnet-4-5@default", "claude-sonnet-4-5"),
        ("mistral-large-latest", "mistral-large"),
        (f"{CLAUDE}-v1:0", CLAUDE),
        (f"{CLAUDE}-20250929-v1:0", CLAUDE),
        (f"us.{CLAUDE}-20250929-v1:0", CLAUDE),
        (f"us-gov.{CLAUDE}", CLAUDE),
        (f"global.{CLAUDE}-20250929-v1:0", f"{CLAUDE}-20250929-v1:0"),
        (f"arn:aws:bedrock:us-east-1::foundation-model/{CLAUDE}-v1:0", f"{CLAUDE}-v1:0"),
        (f"arn:aws:bedrock:us-east-1:123:inference-profile/eu.{CLAUDE}-v1:0", CLAUDE),
        (f"groq/eu.{CLAUDE}-v1:0", CLAUDE),
    ],
)
def test_a_name_is_found_under_what_is_left_of_it(written: str, found_as: str) -> None:
    assert found_as in spellings(written, ("groq",))


@pytest.mark.parametrize(
    "written",
    ["gpt-4o-mini", "meta-llama/llama-3", "gpt-4-0613", "command-r-08-2024", "x-us.a.b", "a/arn:b/c"],
)
def test_what_is_part_of_a_name_is_kept(written: str) -> None:
    assert list(spellings(written, ("groq",))) == [written]


def test_the_longest_spelling_comes_first_and_none_twice() -> None:
    assert list(spellings(f"bedrock/us.{CLAUDE}-20250929-v1:0", ("bedrock",))) == [
        f"bedrock/us.{CLAUDE}-20250929-v1:0",
        f"us.{CLAUDE}-20250929-v1:0",
        f"us.{CLAUDE}-20250929",
        f"us.{CLAUDE}",
        f"{CLAUDE}-20250929-v1:0",
        f"{CLAUDE}-20250929",
        CLAUDE,
    ]


@pytest.mark.parametrize("written", ["", "/", "groq/", "@x", "-latest", ":0", "arn:/"])
def test_a_name_of_nothing_but_parts_does_no_harm(written: str) -> None:
    assert next(spellings(written, ("groq",))) == written
