"""What a user may write about the store: where it is, and how long the gateway goes on without it."""

from datetime import date
from decimal import Decimal

import msgspec

from llmgw.settings.secrets import SecretReference
from llmgw.settings.values import Seconds, Section, ZeroOrSeconds


class StoreSettings(Section, frozen=True):
    """The database of organisations, teams, people, keys, credentials, and of what was spent."""

    url: SecretReference | None = None
    """`sqlite:////absolute/path.db`, or `postgresql://user@host/database` with the extra `postgres`; better
    as a reference. `LLMGW_DATABASE_URL` wins over it. Default: `llmgw.db` in the state folder."""
    start_timeout: Seconds = 5.0
    """Seconds that a start waits for the database, if there is a last known state to begin with."""
    max_staleness: ZeroOrSeconds = 24 * 3600.0
    """Seconds that the last known keys and teams are served while the database is gone. 0: for ever."""


class DatedRate(Section, frozen=True):
    """How much of a currency a dollar is, from a day on."""

    since: date = msgspec.field(name="from")
    """The day (UTC)."""
    rate: Decimal
    """Units of the currency for one dollar."""

    def __post_init__(self) -> None:
        if not self.rate.is_finite() or self.rate <= 0:
            raise ValueError("a rate is a number above 0")
