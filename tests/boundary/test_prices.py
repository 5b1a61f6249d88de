"""Price lists as Python calls them."""

from __future__ import annotations

import json

import pytest

from llmgw._native import PriceList

PRICE = {
    "source": "settings",
    "rates": {"input": 2000, "output": 8000},
    "tiers": [],
    "services": [],
    "units": {},
}


def test_amounts_of_the_ledger_are_priced() -> None:
    prices = PriceList(json.dumps(PRICE).encode())
    assert prices.source == "settings"
    assert prices.cost({"input": 1000, "output": 500}, {}) == (6000, "priced")
    assert prices.cost({"input": 1000, "output": 500}, {}, "flex") == (6000, "partial")


def test_what_is_no_price_is_refused() -> None:
    with pytest.raises(ValueError, match="no price"):
        PriceList(b"{}")
