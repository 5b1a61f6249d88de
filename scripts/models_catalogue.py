"""Makes python/llmgw/providers/models.json, the catalogue of models, from LiteLLM's map of prices.

    pip download litellm --no-deps
    python scripts/models_catalogue.py litellm-1.110.2-py3-none-any.whl [--taken 2026-11-25]

The map is in the wheel. The same wheel and day give the same file; without a day, it is today.
"""

import argparse
import hashlib
import json
import re
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from llmgw.providers import NOT_SERVED, providers
from llmgw.providers.models import (
    BUILT_IN,
    NO_PRICES,
    AllTokenPrices,
    Capability,
    ModelFacts,
    Models,
    Prices,
    Service,
    Source,
    Tier,
)
from llmgw.providers.names import spellings

Entry = dict[str, Any]

LICENSE = "MIT"
IN_WHEEL = "litellm/model_prices_and_context_window_backup.json"

MODES = {
    *(
        "audio_speech",
        "audio_transcription",
        "chat",
        "completion",
        "embedding",
        "image_edit",
        "image_generation",
    ),
    *("moderation", "ocr", "realtime", "rerank", "responses", "video_generation"),
}
"""What is kept; searches, evaluations and the like are no models that a gateway routes to."""

NO_MODEL = re.compile(r"\d+-x-\d+|-commitment/|^fireworks-ai-")
"""Sizes of pictures, reserved capacity and classes of price, which the map lists as if they were models."""

CAPABILITIES = {
    "supports_vision": Capability.VISION,
    "supports_function_calling": Capability.TOOLS,
    "supports_parallel_function_calling": Capability.PARALLEL_TOOLS,
    "supports_response_schema": Capability.JSON_SCHEMA,
    "supports_reasoning": Capability.REASONING,
    "supports_prompt_caching": Capability.CACHING,
    "supports_audio_input": Capability.AUDIO_IN,
    "supports_audio_output": Capability.AUDIO_OUT,
    "supports_video_input": Capability.VIDEO_IN,
    "supports_pdf_input": Capability.PDF,
    "supports_web_search": Capability.WEB_SEARCH,
    "supports_computer_use": Capability.COMPUTER_USE,
}

PER_TOKEN = {
    "input_cost_per_token": "input",
    "output_cost_per_token": "output",
    "cache_read_input_token_cost": "cached",
    "cache_creation_input_token_cost": "cache_write",
    "cache_creation_input_token_cost_above_1hr": "cache_write_1h",
    "output_cost_per_reasoning_token": "reasoning",
    "input_cost_per_audio_token": "audio_input",
    "output_cost_per_audio_token": "audio_output",
    "cache_read_input_audio_token_cost": "audio_cached",
    "input_cost_per_image_token": "image_input",
    "output_cost_per_image_token": "image_output",
    "input_cost_per_character": "characters",
}
PER_ONE = {
    "input_cost_per_second": "per_second_heard",
    "input_cost_per_audio_per_second": "per_second_heard",
    "ocr_cost_per_page": "per_page",
    "input_cost_per_query": "per_query",
    "input_cost_per_request": "per_request",
}
ABOVE = re.compile(r"(.+)_above_(\d+)k_tokens")
SERVICES: dict[str, Service] = {"batches": "batch", "flex": "flex", "priority": "priority"}
"""What the names of their prices end in."""
MAKES_IMAGES = ("image_generation", "image_edit")
MAKES_SECONDS = ("audio_speech", "video_generation")
NO_OUTPUT = ("embedding", "rerank", "moderation")


def main() -> int:
    """Write the file, and tell what is in it and what was left out."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--taken", type=date.fromisoformat, default=datetime.now(UTC).date())
    parser.add_argument("--to", type=Path, default=BUILT_IN)
    asked = parser.parse_args()
    content = zipfile.ZipFile(asked.wheel).read(IN_WHEEL)
    source = Source(
        name="litellm",
        version=asked.wheel.name.split("-")[1],
        file=IN_WHEEL,
        sha256=hashlib.sha256(content).hexdigest(),
        license=LICENSE,
        taken=asked.taken,
    )
    left_out: Counter[str] = Counter()
    catalogue = build(json.loads(content, parse_float=Decimal), left_out)
    page = render(source, catalogue)
    asked.to.write_text(page, encoding="utf-8")
    models = sum(map(len, catalogue.values()))
    print(f"{models} models of {len(catalogue)} providers, {len(page):,} bytes")
    for reason, count in left_out.most_common():
        print(f"left out: {count} ({reason})")
    return 0


def render(source: Source, catalogue: dict[str, Models]) -> str:
    """The file: a model a line, so that a change of one shows as one."""
    blocks = []
    for provider, models in sorted(catalogue.items()):
        lines = [f"{_json(name)}:{_json(facts)}" for name, facts in sorted(models.items())]
        blocks.append(f"{_json(provider)}:{{\n" + ",\n".join(lines) + "\n}")
    return f'{{"source":{_json(source)},\n"models":{{\n' + ",\n".join(blocks) + "\n}}\n"


def build(entries: dict[str, Entry], left_out: Counter[str]) -> dict[str, Models]:
    """Facts by provider and model; `left_out` counts the reasons why others are missing."""
    everything: dict[str, Models] = {}
    for key, entry in sorted(_resolved(entries), key=lambda pair: _preference(*pair)):
        provider, model = _names(key, entry)
        if reason := _unwanted(key, entry, provider):
            left_out[reason] += 1
        elif model in everything.get(provider, {}):
            left_out["the same model twice"] += 1
        else:
            everything.setdefault(provider, {})[model] = facts(entry)
    return {provider: _without_echoes(models, left_out) for provider, models in everything.items()}


def facts(entry: Entry) -> ModelFacts:
    """What the catalogue says of one entry of the map."""
    return ModelFacts(
        mode=sys.intern(entry["mode"]),  # defaults are left out of the file only as the same object
        max_input_tokens=_count(entry.get("max_input_tokens")),
        max_output_tokens=_count(entry.get("max_output_tokens")),
        capabilities=tuple(word for name, word in CAPABILITIES.items() if entry.get(name)),
        prices=_prices(entry),
        deprecated=date.fromisoformat(entry["deprecation_date"]) if "deprecation_date" in entry else None,
    )


def _resolved(entries: dict[str, Entry]) -> Iterator[tuple[str, Entry]]:
    """The entries, with other names for one as entries of their own."""
    for key, entry in entries.items():
        target = entries.get(entry["alias_of"]) if "alias_of" in entry else entry
        if target is not None and "litellm_provider" in target:
            yield key, target


def _preference(key: str, entry: Entry) -> tuple[bool, str]:
    """Of two entries for one model, the one under the provider's own name comes first."""
    provider, _ = _names(key, entry)
    return entry["litellm_provider"] != provider, key


def _names(key: str, entry: Entry) -> tuple[str, str]:
    """The provider as llmgw calls it, and the model without the provider's prefix."""
    written: str = entry["litellm_provider"]
    registry = providers()
    family = next(
        (known for known in ("vertex_ai", "fireworks_ai") if written.startswith(f"{known}-")), written
    )
    family = {"bedrock_converse": "bedrock"}.get(family, family)
    found = registry.get(family)
    known_as = {written, family, *((found.name, *found.aliases) if found else ())}
    prefix, slash, rest = key.partition("/")
    return found.name if found else family, rest if slash and prefix in known_as else key


def _unwanted(key: str, entry: Entry, provider: str) -> str | None:
    """Why an entry is left out."""
    if entry.get("mode") not in MODES:
        return "no model to route to"
    if NO_MODEL.search(key):
        return "a price, not a model"
    if providers().get(provider) is None and provider not in NOT_SERVED:
        return "a provider that llmgw does not know"
    return None


def _without_echoes(models: Models, left_out: Counter[str]) -> Models:
    """Without the names that say the same as a shorter one, under which they are found anyway."""
    kept = dict(models)
    for name in sorted(models, key=len, reverse=True):
        shorter = next((kept[one] for one in spellings(name, ()) if one != name and one in kept), None)
        if shorter == models[name]:
            del kept[name]
            left_out["found under a shorter name"] += 1
    return kept


def _prices(entry: Entry) -> Prices:
    amounts = _token_prices(entry)
    for name, ours in PER_ONE.items():
        if name in entry:
            amounts[ours] = _per_one(entry[name])
    if (of_image := _image_price(entry)) is not None:
        amounts |= of_image
    made = entry.get("output_cost_per_second", entry.get("output_cost_per_video_per_second"))
    if made is not None and entry["mode"] in MAKES_SECONDS:
        amounts["per_second"] = _per_one(made)
    if entry["mode"] in NO_OUTPUT and not amounts.get("output"):
        amounts.pop("output", None)
    base, tiers = _tiers(entry)
    prices = Prices(**(base | amounts), tiers=tiers, services=_services(entry))
    return NO_PRICES if prices == NO_PRICES else prices


def _services(entry: Entry) -> dict[Service, AllTokenPrices]:
    """The prices of those who are served sooner or later than usual."""
    services: dict[Service, AllTokenPrices] = {}
    for ending, service in SERVICES.items():
        suffix = f"_{ending}"
        own = {name.removesuffix(suffix): v for name, v in entry.items() if name.endswith(suffix)}
        amounts = _token_prices(own)
        if entry["mode"] in NO_OUTPUT and not amounts.get("output"):
            amounts.pop("output", None)
        if amounts:
            services[service] = AllTokenPrices(**amounts, tiers=_tiers(own)[1])
    return services


def _image_price(entry: Entry) -> dict[str, int] | None:
    """Makers of images are listed with their price as either."""
    made, seen = entry.get("output_cost_per_image"), entry.get("input_cost_per_image")
    if made is None and seen is not None:
        name = "per_image" if entry["mode"] in MAKES_IMAGES else "per_image_seen"
        return {name: _per_one(seen)}
    return None if made is None else {"per_image": _per_one(made)}


def _tiers(entry: Entry) -> tuple[dict[str, int], tuple[Tier, ...]]:
    """The prices of the shortest requests, if the map tells them with the tiers, and the tiers."""
    base: dict[str, int] = {}
    tiers: dict[int, dict[str, int]] = {}
    for name, value in entry.items():
        if (match := ABOVE.fullmatch(name)) and match[1] in PER_TOKEN:
            tiers.setdefault(int(match[2]) * 1000, {})[PER_TOKEN[match[1]]] = _per_thousand(value)
    for step in entry.get("tiered_pricing", ()):
        if start := int(step["range"][0]):
            tiers[start] = _token_prices(step)
        else:
            base = _token_prices(step)
    short = _token_prices(entry) | base
    made = {above: _of_tier(prices, short) for above, prices in sorted(tiers.items())}
    return base, tuple(Tier(above=above, **prices) for above, prices in made.items() if prices)


def _of_tier(prices: dict[str, int], short: dict[str, int]) -> dict[str, int]:
    """What a tier says, but for sound: the map has it cheaper in long requests, and no vendor does."""
    known = set(Tier.__struct_fields__)
    is_odd = {
        kind for kind, price in prices.items() if kind.startswith("audio") and price <= short.get(kind, 0)
    }
    return {kind: price for kind, price in prices.items() if kind in known and kind not in is_odd}


def _token_prices(entry: Entry) -> dict[str, int]:
    return {ours: _per_thousand(entry[name]) for name, ours in PER_TOKEN.items() if name in entry}


def _per_thousand(dollars: Decimal | int) -> int:
    return round(Decimal(dollars) * 10**12)


def _per_one(dollars: Decimal | int) -> int:
    return round(Decimal(dollars) * 10**9)


def _count(tokens: Decimal | int | None) -> int | None:
    return int(tokens) if tokens else None


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


if __name__ == "__main__":
    sys.exit(main())
