"""`llmgw models`."""

import json
from pathlib import Path
from typing import Any

import pytest

from llmgw.cli import FAILED, OK, run
from llmgw.cli.models import dollars

Output = pytest.CaptureFixture[str]


def told(capsys: Output, *arguments: str) -> list[dict[str, Any]]:
    assert run(["models", *arguments, "--json"]) == OK
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return found


def test_models_are_listed_a_line_each(capsys: Output) -> None:
    assert run(["models", "list", "--provider", "openai", "--search", "GPT-4o-mini"]) == OK
    heading, *lines = capsys.readouterr().out.splitlines()
    assert heading.split() == ["MODEL", "MODE", "WINDOW", "OUTPUT", "$/M", "IN", "$/M", "OUT"]
    assert all(line.startswith("openai/") and "gpt-4o-mini" in line for line in lines)
    assert ["openai/gpt-4o-mini", "chat", "128000", "16384", "0.15", "0.60"] in [
        line.split() for line in lines
    ]


def test_a_provider_may_be_named_by_its_alias(capsys: Output) -> None:
    assert told(capsys, "list", "--provider", "together_ai") == told(capsys, "list", "--provider", "together")


def test_without_a_provider_there_are_all(capsys: Output) -> None:
    listed = {one["provider"] for one in told(capsys, "list")}
    assert {"openai", "anthropic", "groq"} <= listed


def test_a_search_without_a_find_says_so(capsys: Output) -> None:
    assert run(["models", "list", "--search", "nothing-like-it"]) == OK
    assert capsys.readouterr().out == "No such model is known.\n"


def test_a_price_is_shown_with_its_unit(capsys: Output) -> None:
    assert run(["models", "price", "gemini/gemini-2.5-pro"]) == OK
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "input $1.25 per million tokens" in lines
    assert "input above 200,000 tokens $2.50 per million tokens" in lines
    assert "input above 200,000 tokens, batch $1.25 per million tokens" in lines
    assert "window 1,048,576 tokens" in lines


def test_json_has_the_fields_of_a_catalogue_file(capsys: Output) -> None:
    (found,) = told(capsys, "price", "openai/gpt-4o")
    assert (found["provider"], found["model"], found["max_output"]) == ("openai", "gpt-4o", 16_384)
    assert found["price"] == {
        **{"input": 2_500_000, "output": 10_000_000, "cached": 1_250_000},
        "services": {
            "batch": {"input": 1_250_000, "output": 5_000_000},
            "priority": {"input": 4_250_000, "output": 17_000_000, "cached": 2_125_000},
        },
    }


def test_a_name_without_a_provider_means_every_providers(capsys: Output) -> None:
    found = {one["provider"] for one in told(capsys, "price", "claude-sonnet-4-5")}
    assert len(found) > 1
    assert "anthropic" in found


def test_an_unknown_model_fails_with_a_hint(capsys: Output) -> None:
    assert run(["models", "price", "openai/nothing"]) == FAILED
    assert capsys.readouterr().err == (
        "llmgw: nothing is known of 'openai/nothing'\nhint: llmgw models list --search openai/nothing\n"
    )


def test_the_settings_own_file_counts(tmp_path: Path, capsys: Output) -> None:
    facts = {"models": {"mine": {"a": {"max_output": 9}}}}
    (tmp_path / "facts.json").write_text(json.dumps(facts))
    config = tmp_path / "llmgw.yaml"
    config.write_text("model_catalogue: {file: facts.json}")
    (found,) = told(capsys, "price", "mine/a", "--config", str(config))
    assert found == {"provider": "mine", "model": "a", "max_output": 9}


@pytest.mark.parametrize(
    ("amount", "text"), [(0, "0.00"), (2_500_000, "2.50"), (37_500, "0.0375"), (10**9, "1000.00")]
)
def test_amounts_have_cents_and_no_needless_digits(amount: int, text: str) -> None:
    assert dollars(amount, 10**6) == text
