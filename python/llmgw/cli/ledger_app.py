"""The options of `llmgw ledger` and `llmgw spend`; what each does is in `llmgw.cli.ledger` and `.spend`."""

# ruff: noqa: PLC0415 - as in llmgw.cli.app

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

if TYPE_CHECKING:
    from llmgw.cli.situation import Situation

Json = Annotated[bool, Parameter(name="--json", negative="")]
Config = Annotated[Path | None, Parameter(name=["--config", "-c"])]
Since = Annotated[str | None, Parameter(name="--from")]
Until = Annotated[str | None, Parameter(name="--to")]
Output = Annotated[Path | None, Parameter(name=["--output", "-o"])]
Flag = Annotated[bool, Parameter(negative="")]
Form = Literal["csv", "json", "parquet"]

ledger = App(name="ledger", help="The books: what every attempt cost.")
spend = App(name="spend", help="What was spent, by whoever has to pay for it.")


@ledger.command
def verify(
    *, folder: Path | None = None, offline: Flag = False, config: Config = None, json: Json = False
) -> int:
    """Check that the journal is whole and that the store says the same.

    Exit code 0: the books are right. 1: they are not. 2: they could not be checked.

    Parameters
    ----------
    folder
        The journal's folder. Default: the settings'.
    offline
        Look at the journal alone.
    config
        The settings file. Default: $LLMGW_CONFIG.
    json
        Print JSON.
    """
    from llmgw.cli.ledger import run_verify

    return run_verify(_situation(config), folder, offline=offline, as_json=json)


@ledger.command(name="sum")
def sum_(*, since: Since = None, until: Until = None, config: Config = None, json: Json = False) -> int:
    """Show what the rows of a time come to.

    Parameters
    ----------
    since
        Month, day or moment from which on: 2026-11, 2026-11-25, 2026-11-25T12:00Z.
    until
        Month or day up to and with which, or moment up to which.
    config
        The settings file. Default: $LLMGW_CONFIG.
    json
        Print JSON; money in nano-dollars.
    """
    from llmgw.cli.ledger import run_sum, window_of

    return run_sum(_situation(config), window_of(since, until), as_json=json)


@ledger.command
def export(
    *,
    since: Since = None,
    until: Until = None,
    team: str | None = None,
    key: str | None = None,
    organisation: str | None = None,
    format: Form = "csv",
    output: Output = None,
    config: Config = None,
) -> int:
    """Write the rows of a time; money in nano-dollars, times in microseconds of Unix time.

    Parameters
    ----------
    since
        As for `sum`.
    until
        As for `sum`.
    team
        Only this team's, by its id.
    key
        Only this key's, by its id.
    organisation
        Only this organisation's, by its id.
    format
        JSON is an object a line; Parquet is the extra llmgw[parquet].
    output
        The file. Default: standard output.
    config
        The settings file. Default: $LLMGW_CONFIG.
    """
    from llmgw.cli.ledger import run_export, window_of

    asked = {"team_id": team, "key_id": key, "organisation_id": organisation}
    filters = {name: value for name, value in asked.items() if value is not None}
    return run_export(_situation(config), window_of(since, until), filters, format, output)


@ledger.command
def reconcile(
    file: Path,
    /,
    *,
    provider: Literal["openai", "anthropic", "generic"] = "generic",
    column: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    complete: Flag = False,
    dry_run: Flag = False,
    config: Config = None,
    json: Json = False,
) -> int:
    """Compare the books with a provider's usage export, and close what dead workers left open.

    Lines with ids of requests are matched by these, others by day and model. Exit code 1 if they differ.

    Parameters
    ----------
    file
        The export: CSV, JSON, or an object a line.
    provider
        Whose export it is.
    column
        What a column is called: request=ID, at, starts_at, ends_at, model, input, output, cost.
    complete
        The export holds all of its time: what was left open in it and is not there was not billed.
    dry_run
        Only tell.
    config
        The settings file. Default: $LLMGW_CONFIG.
    json
        Print JSON; money in nano-dollars.
    """
    from llmgw.cli import USAGE, CommandError
    from llmgw.cli.ledger import run_reconcile

    names = dict(each.split("=", 1) for each in column if "=" in each)
    if len(names) < len(column):
        raise CommandError("--column is FIELD=NAME", status=USAGE)
    situation = _situation(config)
    return run_reconcile(situation, file, provider, names, complete=complete, dry_run=dry_run, as_json=json)


@ledger.command
def reprice(
    *,
    since: Since = None,
    until: Until = None,
    prices: Path | None = None,
    job: str | None = None,
    config: Config = None,
    json: Json = False,
) -> int:
    """Price settled attempts once more; the first cost stays beside the new one.

    Parameters
    ----------
    since
        As for `sum`.
    until
        As for `sum`.
    prices
        A file of prices in the shape of llmgw's own models.json. Default: the settings' prices of now.
    job
        The id of a job that waits for this; it says the time.
    config
        The settings file. Default: $LLMGW_CONFIG.
    json
        Print JSON; money in nano-dollars.
    """
    from llmgw.cli.ledger import run_reprice, window_of

    return run_reprice(_situation(config), window_of(since, until), prices, job, as_json=json)


@spend.command
def report(
    *,
    by: Annotated[tuple[str, ...], Parameter(negative="")] = ("team",),
    since: Since = None,
    until: Until = None,
    currency: str = "USD",
    format: Form = "csv",
    output: Output = None,
    config: Config = None,
) -> int:
    """Write what was spent, by the hour at the finest.

    Parameters
    ----------
    by
        organisation, team, project, user, service_account, key, alias, model, provider, deployment, endpoint,
        tag; and one of hour, day, month. Several, by repeating it or with commas.
    since
        As for `llmgw ledger sum`.
    until
        As for `llmgw ledger sum`.
    currency
        USD, or one that the settings have rates of.
    format
        JSON is an object a line; Parquet is the extra llmgw[parquet].
    output
        The file. Default: standard output.
    config
        The settings file. Default: $LLMGW_CONFIG.
    """
    from llmgw.cli.ledger import window_of
    from llmgw.cli.spend import run_report

    names = [name.strip() for each in by for name in each.split(",") if name.strip()]
    return run_report(_situation(config), names, window_of(since, until), currency.upper(), format, output)


def _situation(config: Path | None) -> "Situation":
    from llmgw.cli.situation import Situation

    return Situation.of(config, (), no_env_file=False)
