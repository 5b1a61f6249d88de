"""Money in other currencies, by rates that hold from a day on."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, Decimal

import msgspec

from llmgw.errors import LlmgwError

_DOLLARS = "USD"


class NoRate(LlmgwError):
    """There is no rate for a currency, or none for a day."""


class Rate(msgspec.Struct, frozen=True):
    """How much of a currency a dollar is from a day on (UTC)."""

    since: date
    rate: Decimal


class Exchange:
    """Turns nano-dollars into nano units of one currency."""

    def __init__(self, currency: str, rates: Mapping[str, Sequence[Rate]]) -> None:
        """Raises: NoRate: the settings say nothing of the currency."""
        self.currency = currency
        if currency == _DOLLARS:
            self._rates = [Rate(date.min, Decimal(1))]
            return
        if currency not in rates:
            raise NoRate(f"the settings have no rates of {currency}: currencies: {{{currency}: […]}}")
        self._rates = sorted(rates[currency], key=lambda rate: rate.since)

    @property
    def is_dollars(self) -> bool:
        """Whether nothing is changed."""
        return self.currency == _DOLLARS

    def convert(self, nano_dollars: int, at: int) -> int:
        """What an amount of a time (microseconds) is, rounded to whole nano units, half to even.

        Raises:
            NoRate: the first rate begins later.
        """
        if self.is_dollars:
            return nano_dollars
        amount = nano_dollars * self._rate(at)
        return int(amount.quantize(Decimal(1), rounding=ROUND_HALF_EVEN))

    def _rate(self, at: int) -> Decimal:
        day = datetime.fromtimestamp(at / 1_000_000, UTC).date()
        holding = [rate for rate in self._rates if rate.since <= day]
        if not holding:
            raise NoRate(f"there is no rate of {self.currency} for {day}")
        return holding[-1].rate


def units(nano: int) -> str:
    """Nano units as whole ones, exactly."""
    return f"{Decimal(nano) / 10**9:f}"
