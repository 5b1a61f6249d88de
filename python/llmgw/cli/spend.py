"""`llmgw spend`: chargeback reports."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from llmgw.books.currency import Exchange, Rate
from llmgw.books.export import Format, write
from llmgw.books.reports import SpendReport
from llmgw.cli import OK, CommandError
from llmgw.cli.database import with_store
from llmgw.cli.situation import Situation
from llmgw.store.database import Store
from llmgw.store.entries import Window
from llmgw.store.scope import Scope


def run_report(
    situation: Situation,
    by: Sequence[str],
    window: Window,
    currency: str,
    form: Format,
    output: Path | None,
) -> int:
    """Write what was spent in a time, broken down."""
    rates = situation.load().settings.currencies
    known = {name: [Rate(one.since, one.rate) for one in dated] for name, dated in rates.items()}
    report = SpendReport(by, Exchange(currency, known))

    async def run(store: Store) -> list[dict[str, Any]]:
        async with store.read() as tx:
            return await report.rows(tx, Scope.all(), window)

    try:
        write(with_store(situation, run), report.columns, form, output)
    except OSError as error:
        raise CommandError(f"cannot write: {error.strerror}") from None
    return OK
