"""Prices as they are now, for what is priced once more: of the settings' deployments, or of a file."""

from pathlib import Path

import msgspec

from llmgw._native import PriceList
from llmgw.books.usage_export import Billed
from llmgw.cli import CommandError
from llmgw.cli.situation import Situation
from llmgw.plugins import providers_with_plugins
from llmgw.providers.models import CatalogueError, ModelCatalogue, read_catalogue
from llmgw.store.entries import Entry
from llmgw.wiring.prices import price_of


class CurrentPrices:
    """Finds price lists by deployment, else by provider and model."""

    def __init__(self, situation: Situation, file: Path | None = None) -> None:
        """With a file in the shape of `models.json`, what it says counts before all else.

        Raises:
            CommandError: the file cannot be used.
            SettingsError: the settings cannot.
        """
        providers = providers_with_plugins()
        try:
            overlay = None if file is None else read_catalogue(file)
        except CatalogueError as error:
            raise CommandError(str(error)) from None
        self._catalogue = ModelCatalogue(providers, overlay) if overlay else ModelCatalogue(providers)
        self._lists: dict[tuple[str | None, str | None, str | None], PriceList | None] = {}
        self._of_deployments = {}
        if file is None:
            snapshot = situation.compile(situation.load(), situation.state())
            self._of_deployments = {one.id: one.price for one in snapshot.deployments if one.price}

    def find(self, deployment: str | None, provider: str | None, model: str | None) -> PriceList | None:
        """The price list; `None` if nothing is known."""
        place = (deployment, provider, model)
        if place not in self._lists:
            self._lists[place] = self._find(deployment, provider, model)
        return self._lists[place]

    def of_line(self, row: Entry, line: Billed) -> int | None:
        """What a line of a provider's export cost that tells tokens only."""
        found = self.find(row.deployment, row.provider, row.routed_model)
        if found is None or (line.input is None and line.output is None):
            return None
        cost, _ = found.cost({"input": line.input or 0, "output": line.output or 0}, {}, row.tier)
        return cost

    def _find(self, deployment: str | None, provider: str | None, model: str | None) -> PriceList | None:
        price = self._of_deployments.get(deployment or "")
        if price is None and provider and model:
            facts = self._catalogue.find(provider, model)
            price = price_of(provider, facts, self._catalogue.dated(provider, model))
        return None if price is None else PriceList(msgspec.json.encode(price))
