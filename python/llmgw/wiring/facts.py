"""What is known of a deployment's model: from the catalogue, a file over it, and the entry's `model_info`."""

from pathlib import Path
from typing import Any

import msgspec

from llmgw.providers.base import Provider
from llmgw.providers.models import CatalogueError, ModelCatalogue, ModelFacts, Prices, read_catalogue
from llmgw.registry import Registry
from llmgw.settings.models import ModelInfo
from llmgw.settings.problems import Report
from llmgw.settings.schema import Settings
from llmgw.settings.values import per_thousand_tokens
from llmgw.wiring.deployments import Built
from llmgw.wiring.prices import price_of

_PARTS = {
    "input": ("cached", "cache_write", "cache_write_1h", "audio_input", "audio_cached", "image_input"),
    "output": ("reasoning", "audio_output", "image_output"),
}
"""What is free with the whole that it is a part of, unless it is given a price too."""


def compile_model_catalogue(
    settings: Settings, providers: Registry[Provider], report: Report
) -> ModelCatalogue:
    """The catalogue, with the settings' own file laid over it; one that cannot be used is reported."""
    if settings.model_catalogue is None:
        return ModelCatalogue(providers)
    path = Path(report.file or "").parent / settings.model_catalogue.file
    try:
        return ModelCatalogue(providers, read_catalogue(path))
    except CatalogueError as error:
        report.error(("model_catalogue", "file"), str(error))
        return ModelCatalogue(providers)


def facts_of(built: Built, catalogue: ModelCatalogue) -> ModelFacts | None:
    """What is known of the model behind a deployment; of a pattern, only what its entry says."""
    info = built.entry.model_info
    found = _found(built.deployment.provider, info.base_model or built.deployment.model, catalogue)
    limits, prices = _given_limits(info), _given_prices(info)
    if not limits and not prices:
        return found
    known = found or ModelFacts()
    if prices:
        limits["prices"] = _over(known.prices, prices)
    return msgspec.structs.replace(known, **limits)


def _over(known: Prices, given: dict[str, int]) -> Prices:
    """The prices with those that an entry gives. Of wholes they hold for every length and service."""
    free = {part: None for whole, parts in _PARTS.items() if given.get(whole) == 0 for part in parts}
    prices = msgspec.structs.replace(known, **(free | given))
    return msgspec.structs.replace(prices, tiers=(), services={}) if _PARTS.keys() & given.keys() else prices


def with_limits(built: Built, catalogue: ModelCatalogue) -> Built:
    """The deployment with what the native core has to know of its model."""
    facts, info, deployment = facts_of(built, catalogue), built.entry.model_info, built.deployment
    # Of a model that nobody has described, its own maker's host is believed to know what is new.
    schema, reasoning = deployment.native_schema, deployment.original
    if facts is not None and facts.capabilities:
        schema = schema and ("json_schema" in facts.capabilities or "tools" not in facts.capabilities)
        reasoning = "reasoning" in facts.capabilities
    deployment = msgspec.structs.replace(
        deployment,
        max_output_tokens=None if facts is None else facts.max_output_tokens,
        price=price_of(deployment.provider, facts, _source(built, catalogue)),
        native_schema=schema if info.supports_response_schema is None else info.supports_response_schema,
        reasoning=reasoning if info.supports_reasoning is None else info.supports_reasoning,
    )
    return msgspec.structs.replace(built, deployment=deployment)


def _source(built: Built, catalogue: ModelCatalogue) -> str:
    """Where the prices are from, in a few words."""
    info = built.entry.model_info
    given = _given_prices(info)
    model = info.base_model or built.deployment.model
    if given and _found(built.deployment.provider, model, catalogue) is None:
        return "settings"
    known = catalogue.dated(built.deployment.provider, model)
    return f"settings over {known}" if given else known


def _found(provider: str, model: str, catalogue: ModelCatalogue) -> ModelFacts | None:
    if "*" in model:
        return None
    found = catalogue.find(provider, model)
    owner, slash, rest = model.partition("/")
    if found is None and slash:  # a base model may say whose it is
        return catalogue.find(owner, rest)
    return found


def _given_limits(info: ModelInfo) -> dict[str, Any]:
    limits = {
        "max_input_tokens": info.max_input_tokens,
        "max_output_tokens": info.max_output_tokens or info.max_tokens,
    }
    return {name: value for name, value in limits.items() if value is not None}


def _given_prices(info: ModelInfo) -> dict[str, int]:
    """Prices in the catalogue's unit."""
    dollars = {
        "input": info.input_cost_per_token,
        "output": info.output_cost_per_token,
        "cached": info.cache_read_input_token_cost,
        "cache_write": info.cache_creation_input_token_cost,
        "cache_write_1h": info.cache_creation_input_token_cost_above_1hr,
        "reasoning": info.output_cost_per_reasoning_token,
        "audio_input": info.input_cost_per_audio_token,
        "audio_output": info.output_cost_per_audio_token,
    }
    return {name: per_thousand_tokens(value) for name, value in dollars.items() if value is not None}
