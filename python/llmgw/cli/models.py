"""`llmgw models`: what is known of models."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec

from llmgw.cli import OK, CommandError
from llmgw.cli.output import print_json, print_table
from llmgw.cli.situation import Situation
from llmgw.plugins import providers_with_plugins
from llmgw.providers import split_model
from llmgw.providers.models import AllTokenPrices, ModelCatalogue, ModelFacts, TokenPrices
from llmgw.wiring.facts import compile_model_catalogue

_PER_MILLION = 10**6
"""Nano-dollars per thousand tokens, in dollars per million tokens."""
_PER_ONE = 10**9
_NO_PRICE = ("above", "tiers", "services")


class Known(msgspec.Struct, frozen=True):
    """A model and what is known of it."""

    provider: str
    model: str
    facts: ModelFacts


def list_models(situation: Situation, provider: str | None, search: str, *, as_json: bool) -> int:
    """Print the models of one provider or all, a line each."""
    catalogue = _catalogue(situation)
    wanted = catalogue.providers() if provider is None else [catalogue.canonical(provider)]
    found = [
        Known(name, model, facts)
        for name in wanted
        for model, facts in sorted(catalogue.models(name).items())
        if search.lower() in model.lower()
    ]
    if as_json:
        print_json([_fields(one) for one in found])
    elif not found:
        print("No such model is known.")
    else:
        headings = ("MODEL", "MODE", "WINDOW", "OUTPUT", "$/M IN", "$/M OUT")
        print_table(headings, map(_row, found))
    return OK


def price(situation: Situation, model: str, *, as_json: bool) -> int:
    """Print all that is known of a model, at each provider that the name may mean."""
    found = list(_meant(_catalogue(situation), model))
    if not found:
        raise CommandError(f"nothing is known of '{model}'", hint=f"llmgw models list --search {model}")
    if as_json:
        print_json([_fields(one) for one in found])
        return OK
    for one in found:
        print_table((f"{one.provider}/{one.model}", ""), _details(one.facts))
        print()
    return OK


def dollars(amount: int, unit: int) -> str:
    """An amount as people write it: at least cents, and no more digits than it has."""
    whole, _, rest = f"{Decimal(amount) / unit:f}".partition(".")
    return f"{whole}.{rest.rstrip('0').ljust(2, '0')}"


def _catalogue(situation: Situation) -> ModelCatalogue:
    loaded = situation.load()
    catalogue = compile_model_catalogue(loaded.settings, providers_with_plugins(), loaded.report)
    loaded.report.raise_errors()
    return catalogue


def _meant(catalogue: ModelCatalogue, model: str) -> Iterator[Known]:
    provider, name = split_model(model)
    if provider is not None and (facts := catalogue.find(provider, name)) is not None:
        yield Known(provider, name, facts)
        return
    for each in catalogue.providers():
        if (facts := catalogue.models(each).get(model)) is not None:
            yield Known(each, model, facts)


def _fields(known: Known) -> dict[str, Any]:
    """The fields as they stand in a catalogue file."""
    return {"provider": known.provider, "model": known.model, **msgspec.to_builtins(known.facts)}


def _row(known: Known) -> tuple[str, ...]:
    facts = known.facts
    return (
        f"{known.provider}/{known.model}",
        facts.mode,
        str(facts.max_input_tokens or ""),
        str(facts.max_output_tokens or ""),
        *(
            "" if amount is None else dollars(amount, _PER_MILLION)
            for amount in (facts.prices.input, facts.prices.output)
        ),
    )


def _details(facts: ModelFacts) -> Iterator[tuple[str, str]]:
    yield "mode", facts.mode
    if facts.max_input_tokens is not None:
        yield "window", f"{facts.max_input_tokens:,} tokens"
    if facts.max_output_tokens is not None:
        yield "output", f"{facts.max_output_tokens:,} tokens"
    if facts.capabilities:
        yield "can", ", ".join(facts.capabilities)
    yield from _amounts(facts.prices)
    yield from _long(facts.prices)
    for service, prices in facts.prices.services.items():
        named = (*_amounts(prices), *_long(prices))
        yield from ((f"{name}, {service}", text) for name, text in named)
    if facts.deprecated is not None:
        yield "let go on", facts.deprecated.isoformat()


def _long(prices: AllTokenPrices) -> Iterator[tuple[str, str]]:
    """The prices of long requests."""
    for tier in prices.tiers:
        yield from ((f"{name} above {tier.above:,} tokens", text) for name, text in _amounts(tier))


def _amounts(prices: TokenPrices) -> Iterator[tuple[str, str]]:
    """The prices that are known, with their units."""
    for name, amount in msgspec.structs.asdict(prices).items():
        label = name.replace("_", " ")
        if name in _NO_PRICE or amount is None:
            continue
        if name.startswith("per_"):
            yield label, f"${dollars(amount, _PER_ONE)}"
        else:
            counted = "characters" if name == "characters" else "tokens"
            yield label, f"${dollars(amount, _PER_MILLION)} per million {counted}"
