"""What deployments cost, as the native core is told."""

import pytest

from llmgw.gateway.snapshot import Price, PricingPolicy, TokenRates
from llmgw.settings.problems import SettingsError
from tests.unit.configurations import compiled, warnings

GPT = "model: openai/gpt-4o, api_key: k"
UNKNOWN = "model: openai/mine, api_key: k"


def price(params: str, info: str = "") -> Price | None:
    """That of the only deployment of a configuration."""
    snapshot = compiled(f"model_list: [{{model_name: a, params: {{{params}}}, model_info: {{{info}}}}}]")
    return snapshot.deployments[0].price


def known(params: str, info: str = "") -> Price:
    found = price(params, info)
    assert found is not None
    return found


def policy(section: str) -> PricingPolicy:
    return compiled(f"pricing: {{{section}}}").pricing


def test_a_price_says_where_and_when_it_is_from() -> None:
    assert known(GPT).source == "catalogue 2026-11-25"
    assert known(GPT).rates == TokenRates(input=2_500_000, output=10_000_000, cached=1_250_000)


def test_the_entrys_prices_are_the_settings_own() -> None:
    found = known(UNKNOWN, "input_cost_per_token: 0.0000025, output_cost_per_token: 0.00001")
    assert (found.source, found.rates) == ("settings", TokenRates(input=2_500_000, output=10_000_000))


def test_what_the_entry_leaves_out_is_the_catalogues() -> None:
    found = known(GPT, "input_cost_per_token: 0.000001")
    assert found.source == "settings over catalogue 2026-11-25"
    assert found.rates == TokenRates(input=1_000_000, output=10_000_000, cached=1_250_000)
    assert found.services == ()


def test_zero_is_free_with_all_its_parts() -> None:
    found = known(GPT, "input_cost_per_token: 0, output_cost_per_token: 0")
    assert found.rates == TokenRates(input=0, output=0)


def test_a_price_is_exact_however_small_it_is_written() -> None:
    found = known(UNKNOWN, "input_cost_per_token: 3.75e-8, output_cost_per_token: 0.1")
    assert found.rates == TokenRates(input=37_500, output=10**11)


def test_services_and_lengths_have_prices_of_their_own() -> None:
    found = known("model: gemini/gemini-2.5-pro, api_key: k")
    assert [tier.above for tier in found.tiers] == [200_000]
    assert {one.service for one in found.services} >= {"batch", "flex"}


@pytest.mark.parametrize("params", [UNKNOWN, "model: azure/mine, api_key: k, api_base: 'https://a.example'"])
def test_of_an_unknown_model_there_is_none(params: str) -> None:
    assert price(params) is None


def test_a_pattern_has_none_unless_its_entry_says() -> None:
    entry = "{{model_name: 'o/*', params: {{model: 'openai/*', api_key: k}}, model_info: {{{}}}}}"
    unsaid = compiled(f"model_list: [{entry.format('')}]").deployments[0].price
    said = compiled(f"model_list: [{entry.format('input_cost_per_token: 0')}]").deployments[0].price
    assert unsaid is None
    assert said is not None


def test_the_mock_is_free() -> None:
    assert known("model: mock/echo").rates == TokenRates(input=0, output=0)


def test_unknown_prices_are_free_unless_told_otherwise() -> None:
    assert policy("") == PricingPolicy(unknown="free", ceiling_input=0, ceiling_output=0)
    assert policy("unknown: block").unknown == "block"


def test_a_ceiling_is_in_the_catalogues_unit() -> None:
    found = policy("unknown: ceiling, ceiling: {input: 0.00006, output: 0.00025}")
    expected = PricingPolicy(unknown="ceiling", ceiling_input=60_000_000, ceiling_output=250_000_000)
    assert found == expected


def test_a_ceiling_without_prices_is_refused() -> None:
    with pytest.raises(SettingsError, match="give the prices"):
        policy("unknown: ceiling")


def test_raw_requests_are_told_not_to_be_blocked() -> None:
    found = warnings(
        "pricing: {unknown: block}\npass_through: {openai: {paths: [/v1/models]}}\n", OPENAI_API_KEY="k"
    )
    assert any("pricing.unknown" in one and "not blocked" in one for one in found)


def test_a_price_of_a_part_leaves_the_tiers_of_its_whole() -> None:
    found = known("model: gemini/gemini-2.5-pro, api_key: k", "cache_read_input_token_cost: 0.0000001")
    assert [tier.above for tier in found.tiers] == [200_000]


def test_prices_that_are_partly_the_catalogues_say_so() -> None:
    found = known(
        "model: gemini/gemini-2.5-flash, api_key: k",
        "input_cost_per_token: 0.0000002, output_cost_per_token: 0.000001",
    )
    assert found.source.startswith("settings over") or found.rates.cached is None
