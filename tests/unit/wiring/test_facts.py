"""What is known of a deployment's model."""

import json
from pathlib import Path

import pytest

from llmgw.providers import providers
from llmgw.providers.models import ModelFacts
from llmgw.settings.environment import Environment
from llmgw.settings.problems import SettingsError
from llmgw.wiring.deployments import DeploymentCompiler
from llmgw.wiring.facts import compile_model_catalogue, facts_of
from llmgw.wiring.retries import default_timeouts
from tests.unit.configurations import compiled, problems, read


def facts(params: str, info: str = "") -> ModelFacts | None:
    """Those of the only deployment of a configuration."""
    loaded = read(f"model_list: [{{model_name: a, params: {{{params}}}, model_info: {{{info}}}}}]")
    registry, environment = providers(), Environment({})
    compiler = DeploymentCompiler(registry, environment, loaded.report, default_timeouts(loaded.settings))
    (built,) = compiler.compile(loaded.settings.model_list, ("model_list",))
    return facts_of(built, compile_model_catalogue(loaded.settings, registry, loaded.report))


def limit(params: str, info: str = "") -> int | None:
    found = facts(params, info)
    return None if found is None else found.max_output_tokens


GPT = "model: openai/gpt-4o, api_key: k"
AZURE = "model: azure/mine, api_key: k, api_base: 'https://a.example'"
UNKNOWN = "model: openai/mine, api_key: k"


def test_a_known_model_has_facts() -> None:
    assert limit(GPT) == 16_384


def test_of_an_unknown_model_there_are_none() -> None:
    assert facts(UNKNOWN) is None


@pytest.mark.parametrize("base", ["gpt-4o", "azure/gpt-4o", "openai/gpt-4o"])
def test_an_opaque_name_is_known_by_its_base_model(base: str) -> None:
    assert limit(AZURE) is None
    assert limit(AZURE, f"base_model: {base}") == 16_384


def test_a_base_model_may_be_anothers() -> None:
    assert limit(UNKNOWN, "base_model: groq/openai/gpt-oss-120b") is not None


@pytest.mark.parametrize(
    ("info", "expected"),
    [
        ("max_tokens: 5", 5),
        ("max_output_tokens: 6", 6),
        ("max_tokens: 5, max_output_tokens: 6", 6),
        ("max_input_tokens: 7", 16_384),
    ],
)
def test_limits_of_the_entry_win(info: str, expected: int) -> None:
    assert limit(GPT, info) == expected


def test_an_entry_may_say_what_nobody_knows() -> None:
    found = facts(UNKNOWN, "max_input_tokens: 7, input_cost_per_token: 0.0000025")
    assert found is not None
    assert (found.max_input_tokens, found.prices.input, found.prices.output) == (7, 2_500_000, None)


def test_prices_of_the_entry_win_and_hold_for_requests_of_every_length() -> None:
    params = "model: gemini/gemini-2.5-pro, api_key: k"
    known, given = facts(params), facts(params, "input_cost_per_token: 1.0e-9, output_cost_per_token: 0")
    assert known is not None
    assert given is not None
    assert (given.prices.input, given.prices.output) == (1000, 0)
    assert given.prices.cached == known.prices.cached
    assert known.prices.tiers
    assert given.prices.tiers == ()


def test_a_deployment_carries_its_output_limit() -> None:
    snapshot = compiled(f"model_list: [{{model_name: a, params: {{{GPT}}}}}]")
    assert snapshot.deployments[0].max_output_tokens == 16_384


def test_of_a_pattern_nothing_is_known() -> None:
    snapshot = compiled("model_list: [{model_name: 'openai/*', params: {model: 'openai/*', api_key: k}}]")
    assert snapshot.deployments[0].max_output_tokens is None


CONFIG = f"model_list: [{{model_name: a, params: {{{UNKNOWN}}}}}]\nmodel_catalogue: {{file: facts.json}}\n"


def test_a_file_beside_the_settings_says_more(tmp_path: Path) -> None:
    (tmp_path / "facts.json").write_text(json.dumps({"models": {"openai": {"mine": {"max_output": 9}}}}))
    loaded = read(CONFIG, str(tmp_path / "llmgw.yaml"))
    catalogue = compile_model_catalogue(loaded.settings, providers(), loaded.report)
    assert catalogue.find("openai", "mine") == ModelFacts(max_output_tokens=9)


def test_a_file_that_cannot_be_used_is_told_with_the_setting(tmp_path: Path) -> None:
    (tmp_path / "facts.json").write_text("{")
    (found,) = problems(CONFIG, str(tmp_path / "llmgw.yaml"))
    assert "model_catalogue.file" in found
    assert "facts.json is no model catalogue" in found


def test_a_negative_price_is_refused() -> None:
    with pytest.raises(SettingsError, match="input_cost_per_token"):
        facts(GPT, "input_cost_per_token: -1")
