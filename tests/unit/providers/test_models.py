"""What is known of models."""

from datetime import date
from pathlib import Path

import msgspec
import pytest

from llmgw.providers import providers
from llmgw.providers.models import (
    BUILT_IN,
    Capability,
    CatalogueError,
    CatalogueFile,
    ModelCatalogue,
    ModelFacts,
    Prices,
    Tier,
    read_catalogue,
)

FACTS = ModelFacts(max_input_tokens=10, prices=Prices(input=5))


@pytest.fixture
def catalogue() -> ModelCatalogue:
    return ModelCatalogue(providers())


def over(models: dict[str, dict[str, ModelFacts]]) -> ModelCatalogue:
    return ModelCatalogue(providers(), CatalogueFile(models))


def test_a_model_has_a_window_abilities_and_prices(catalogue: ModelCatalogue) -> None:
    facts = catalogue.find("openai", "gpt-4o")
    assert facts is not None
    assert (facts.max_input_tokens, facts.max_output_tokens) == (128_000, 16_384)
    assert {Capability.VISION, Capability.TOOLS, Capability.JSON_SCHEMA} <= set(facts.capabilities)
    assert (facts.prices.input, facts.prices.output, facts.prices.cached) == (
        2_500_000,
        10_000_000,
        1_250_000,
    )


def test_a_long_request_may_cost_more(catalogue: ModelCatalogue) -> None:
    facts = catalogue.find("gemini", "gemini-2.5-pro")
    assert facts is not None
    (tier,) = facts.prices.tiers
    assert tier.above == 200_000
    assert tier.input == 2 * (facts.prices.input or 0)


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("together", "meta-llama/Llama-3.3-70B-Instruct-Turbo"),
        ("together_ai", "meta-llama/Llama-3.3-70B-Instruct-Turbo"),
        ("together", "together_ai/meta-llama/Llama-3.3-70B-Instruct-Turbo"),
        ("openai", "gpt-4o-2024-11-20"),
        ("anthropic", "claude-sonnet-4-5-20250929"),
        ("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
        ("bedrock", "bedrock/anthropic.claude-sonnet-4-5-20250929-v1:0"),
    ],
)
def test_a_model_is_found_as_people_write_it(catalogue: ModelCatalogue, provider: str, model: str) -> None:
    assert catalogue.find(provider, model) is not None


@pytest.mark.parametrize("model", ["", "*", "nothing-like-it", "gpt-4o-of-my-own"])
def test_a_model_that_is_not_known_is_not_found(catalogue: ModelCatalogue, model: str) -> None:
    assert catalogue.find("openai", model) is None


def test_nothing_is_known_of_a_provider_that_is_not_listed(catalogue: ModelCatalogue) -> None:
    assert catalogue.find("nobody", "gpt-4o") is None
    assert catalogue.models("nobody") == {}


def test_azures_models_are_known_by_openais_if_by_nothing_else() -> None:
    assert over({"openai": {"a-model": FACTS}}).find("azure", "a-model") == FACTS


def test_a_file_adds_models_and_providers() -> None:
    known = over({"mine": {"a": FACTS}})
    assert known.find("mine", "a") == FACTS
    assert "mine" in known.providers()


def test_a_file_wins_model_by_model() -> None:
    known = over({"openai": {"gpt-4o": FACTS}})
    assert known.find("openai", "gpt-4o") == FACTS
    assert known.find("openai", "gpt-4o-mini") is not None


def test_a_file_may_name_a_provider_by_its_alias() -> None:
    assert over({"together_ai": {"a": FACTS}}).find("together", "a") == FACTS


def test_the_listing_is_of_every_provider(catalogue: ModelCatalogue) -> None:
    assert {"openai", "anthropic", "groq"} <= set(catalogue.providers())


def test_facts_are_written_short_and_read_back_whole() -> None:
    facts = ModelFacts(
        mode="embedding",
        max_input_tokens=1,
        capabilities=(Capability.PDF,),
        prices=Prices(input=1, tiers=(Tier(above=2, input=3),)),
        deprecated=date(2030, 1, 31),
    )
    text = msgspec.json.encode(facts)
    assert text == (
        b'{"mode":"embedding","max_input":1,"can":["pdf"],'
        b'"price":{"input":1,"tiers":[{"input":3,"above":2}]},"deprecated":"2030-01-31"}'
    )
    assert msgspec.json.decode(text, type=ModelFacts) == facts


def test_the_built_in_catalogue_is_sound() -> None:
    file = read_catalogue(BUILT_IN)
    assert file.source is not None
    assert sum(map(len, file.models.values())) >= 1000


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[", "no model catalogue"),
        ("{}", "missing required field `models`"),
        ('{"models": {"a": {"b": {"max_input": 0}}}}', ">= 1"),
        ('{"models": {"a": {"b": {"windw": 1}}}}', "unknown field `windw`"),
        ('{"models": {"a": {"b": {"can": ["fly"]}}}}', "Invalid enum value 'fly'"),
        ('{"models": {"a": {"b": {"price": {"input": -1}}}}}', ">= 0"),
        ('{"models": {"a": {"b": {"price": {"input": 0.5}}}}}', "Expected `int"),
    ],
)
def test_a_file_of_something_else_is_refused_with_the_reason(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "models.json"
    path.write_text(text)
    with pytest.raises(CatalogueError, match="no model catalogue") as caught:
        read_catalogue(path)
    assert reason in str(caught.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="cannot be read: No such file"):
        read_catalogue(tmp_path / "models.json")
