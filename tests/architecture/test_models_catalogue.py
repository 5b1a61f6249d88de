"""The catalogue of models: what its script makes of a map of prices, and the file as it stands."""

import json
import runpy
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from llmgw.providers.models import BUILT_IN, CatalogueFile, ModelFacts, Source

ROOT = Path(__file__).parents[2]
SCRIPT = runpy.run_path(str(ROOT / "scripts" / "models_catalogue.py"))
SOURCE = Source(name="a-map", version="1", file="f", sha256="0", license="MIT", taken=date(2026, 1, 31))
MOST_BYTES = 800_000


def made(entries: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The models that the script makes of a map, by provider."""
    exact = json.loads(json.dumps(entries), parse_float=Decimal)
    models: dict[str, dict[str, ModelFacts]] = SCRIPT["build"](exact, Counter())
    plain: dict[str, dict[str, Any]] = msgspec.json.decode(msgspec.json.encode(models))
    return plain


def entry(provider: str = "openai", mode: str = "chat", **fields: Any) -> dict[str, Any]:
    return {"litellm_provider": provider, "mode": mode, **fields}


def only(**fields: Any) -> Any:
    """What becomes of an entry with these fields."""
    return made({"m": entry(**fields)})["openai"]["m"]


def test_limits_abilities_and_the_last_day_are_taken_over() -> None:
    found = only(
        max_input_tokens=10,
        max_output_tokens=5.0,
        supports_vision=True,
        supports_function_calling=True,
        supports_reasoning=False,
        deprecation_date="2030-01-31",
    )
    assert found == {"max_input": 10, "max_output": 5, "can": ["vision", "tools"], "deprecated": "2030-01-31"}


@pytest.mark.parametrize(
    ("fields", "price"),
    [
        (
            {"input_cost_per_token": 2.5e-06, "output_cost_per_token": 1e-05},
            {"input": 2500000, "output": 10000000},
        ),
        ({"input_cost_per_token": 3.75e-08}, {"input": 37500}),
        ({"input_cost_per_token": 2.0000000000000002e-07}, {"input": 200000}),
        ({"cache_read_input_token_cost": 3e-07}, {"cached": 300000}),
        ({"cache_creation_input_token_cost_above_1hr": 6e-06}, {"cache_write_1h": 6000000}),
        ({"output_cost_per_image": 0.04, "mode": "image_generation"}, {"per_image": 40000000}),
        ({"input_cost_per_image": 0.04, "mode": "image_generation"}, {"per_image": 40000000}),
        ({"input_cost_per_image": 0.04}, {"per_image_seen": 40000000}),
        ({"output_cost_per_second": 0.1, "mode": "video_generation"}, {"per_second": 100000000}),
        ({"input_cost_per_second": 0.0001, "mode": "audio_transcription"}, {"per_second_heard": 100000}),
        ({"input_cost_per_character": 1.5e-05, "mode": "audio_speech"}, {"characters": 15000000}),
        ({"input_cost_per_query": 0.002, "mode": "rerank"}, {"per_query": 2000000}),
        (
            {"input_cost_per_token": 1e-07, "output_cost_per_token": 0.0, "mode": "embedding"},
            {"input": 100000},
        ),
    ],
)
def test_prices_become_whole_nano_dollars(fields: dict[str, Any], price: dict[str, int]) -> None:
    assert only(**fields)["price"] == price


def test_prices_of_other_services_stand_apart() -> None:
    found = only(
        input_cost_per_token=1e-06,
        input_cost_per_token_flex=5e-07,
        input_cost_per_token_batches=4e-07,
        output_cost_per_token_batches=2e-06,
        input_cost_per_token_above_200k_tokens_priority=4e-06,
        input_cost_per_token_priority=2e-06,
        input_cost_per_token_ultrafast=9e-06,
    )
    assert found["price"] == {
        "input": 1_000_000,
        "services": {
            "batch": {"input": 400_000, "output": 2_000_000},
            "flex": {"input": 500_000},
            "priority": {"input": 2_000_000, "tiers": [{"input": 4_000_000, "above": 200_000}]},
        },
    }


def test_prices_above_a_length_become_tiers() -> None:
    found = only(
        input_cost_per_token=1e-06,
        input_cost_per_token_above_200k_tokens=2e-06,
        output_cost_per_token_above_200k_tokens=3e-06,
        input_cost_per_token_above_200k_tokens_batches=9e-06,
    )
    assert found["price"] == {
        "input": 1_000_000,
        "tiers": [{"input": 2_000_000, "output": 3_000_000, "above": 200_000}],
    }


def test_a_tier_keeps_its_own_price_of_thoughts_and_drops_sound_that_gets_cheaper() -> None:
    found = only(
        input_cost_per_audio_token=1e-06,
        output_cost_per_reasoning_token_above_200k_tokens=4e-06,
        input_cost_per_audio_token_above_200k_tokens=3e-07,
    )
    assert found["price"]["tiers"] == [{"reasoning": 4_000_000, "above": 200_000}]


def test_steps_of_prices_become_a_price_and_tiers() -> None:
    steps = [
        {"range": [0, 32000.0], "input_cost_per_token": 1e-06},
        {"range": [32000.0, 128000.0], "input_cost_per_token": 2e-06},
    ]
    found = only(tiered_pricing=steps)
    assert found["price"] == {"input": 1_000_000, "tiers": [{"input": 2_000_000, "above": 32_000}]}


@pytest.mark.parametrize(
    ("key", "provider", "place"),
    [
        ("gpt", "openai", ("openai", "gpt")),
        ("groq/openai/gpt", "groq", ("groq", "openai/gpt")),
        ("together_ai/m", "together_ai", ("together", "m")),
        ("vertex_ai/m", "vertex_ai-mistral_models", ("vertex_ai", "m")),
        ("anthropic.m", "bedrock_converse", ("bedrock", "anthropic.m")),
    ],
)
def test_a_model_is_listed_under_llmgws_name_of_its_provider(
    key: str, provider: str, place: tuple[str, str]
) -> None:
    assert made({key: entry(provider)}) == {place[0]: {place[1]: {}}}


@pytest.mark.parametrize(
    ("key", "fields"),
    [
        ("sample_spec", {"litellm_provider": "one of many", "mode": "one of many"}),
        ("search", entry("openai", "search")),
        ("1024-x-1024/dall-e", entry("openai", "image_generation")),
        ("bedrock/*/1-month-commitment/m", entry("bedrock")),
        ("m", entry("nobody")),
        ("no-mode", {"litellm_provider": "openai"}),
        ("to-nothing", {"alias_of": "nothing"}),
    ],
)
def test_what_no_gateway_routes_to_is_left_out(key: str, fields: dict[str, Any]) -> None:
    assert made({key: fields}) == {}


def test_another_name_for_a_model_has_its_facts() -> None:
    found = made({"m-1": entry(max_input_tokens=5), "newest": {"alias_of": "m-1"}})
    assert found == {"openai": {"m-1": {"max_input": 5}, "newest": {"max_input": 5}}}


def test_a_dated_name_that_says_nothing_new_is_left_out() -> None:
    found = made({"m": entry(), "m-2024-11-20": entry(), "m-2025-01-31": entry(max_input_tokens=5)})
    assert list(found["openai"]) == ["m", "m-2025-01-31"]


def test_the_file_holds_a_model_a_line_in_order() -> None:
    models = {"b": {"y": ModelFacts(), "x": ModelFacts(mode="embedding")}, "a": {"z": ModelFacts()}}
    page: str = SCRIPT["render"](SOURCE, models)
    assert page == (
        '{"source":{"name":"a-map","version":"1","file":"f","sha256":"0","license":"MIT","taken":"2026-01-31"},\n'
        '"models":{\n"a":{\n"z":{}\n},\n"b":{\n"x":{"mode":"embedding"},\n"y":{}\n}\n}}\n'
    )
    assert msgspec.json.decode(page, type=CatalogueFile).models == models


def test_the_file_is_as_the_script_writes_it() -> None:
    text = BUILT_IN.read_text(encoding="utf-8")
    file = msgspec.json.decode(text, type=CatalogueFile)
    assert text == SCRIPT["render"](file.source, file.models)


def test_the_file_is_small_and_says_where_it_comes_from() -> None:
    assert BUILT_IN.stat().st_size <= MOST_BYTES
    source = msgspec.json.decode(BUILT_IN.read_bytes(), type=CatalogueFile).source
    assert source is not None
    assert (source.license, len(source.sha256)) == ("MIT", 64)
    assert "models.json" in (ROOT / "NOTICE").read_text(encoding="utf-8")
