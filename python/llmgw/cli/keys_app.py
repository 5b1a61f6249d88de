"""The options of `llmgw keys`; what each command does is in `llmgw.cli.keys`."""

# ruff: noqa: PLC0415 - as in llmgw.cli.app

from typing import Annotated

from cyclopts import App, Parameter, validators

from llmgw.cli.asking import DEFAULT, Asking
from llmgw.cli.objects_app import Sets, changer, lister, reader

Many = Annotated[tuple[str, ...], Parameter(negative="")]
Count = Annotated[int | None, Parameter(validator=validators.Number(gte=1))]

keys = App(name="keys", help="Virtual keys: what clients show to the gateway.")
keys.command(lister("keys"), name="list")
keys.command(reader("keys"), name="info")
keys.command(changer("keys"), name="update")


@keys.command
def create(  # noqa: PLR0913 - each is an option
    alias: str,
    /,
    *,
    models: Many = (),
    map_: Annotated[tuple[str, ...], Parameter(name="--map", negative="")] = (),
    pass_through: Many = (),
    rpm: Count = None,
    tpm: Count = None,
    expires: str | None = None,
    set_: Sets = (),
    asking: Asking = DEFAULT,
) -> int:
    """Make a key and show it, this once.

    Parameters
    ----------
    alias
        Its name in logs and metrics.
    models
        A public model name or pattern (openai/*) it may use; repeatable. Default: all.
    map_
        NAME=MEANING: a name that means another model when this key uses it (claude-*=local); repeatable.
    pass_through
        A name of pass_through it may use, * for all; repeatable. Default: all, with models none.
    rpm
        Requests per minute.
    tpm
        Tokens per minute.
    expires
        A date or time (2030-01-31), or a time from now (12h, 30d).
    set_
        FIELD=VALUE of the admin API: team_id, admin_role, limits, budgets, …; repeatable.
    """
    from llmgw.cli.keys import Wanted
    from llmgw.cli.keys import create as run
    from llmgw.cli.objects import assignments

    wanted = Wanted(alias, models, map_, pass_through, rpm, tpm, expires, assignments(set_))
    return run(asking.api, wanted, asking.form)


@keys.command
def rotate(alias: str, /, *, grace: str | None = None, asking: Asking = DEFAULT) -> int:
    """Give a key another value and show it, this once.

    Parameters
    ----------
    alias
        Its name or id.
    grace
        How long the value that it had is still good (90, 12h, 30d). Default: a day.
    """
    from llmgw.cli.keys import rotate as run

    return run(asking.api(), alias, grace, asking.form)


@keys.command
def block(alias: str, /, *, asking: Asking = DEFAULT) -> int:
    """Refuse a key from now on, until it is unblocked.

    Parameters
    ----------
    alias
        Its name or id.
    """
    from llmgw.cli.keys import set_blocked

    return set_blocked(asking.api(), alias, "block")


@keys.command
def unblock(alias: str, /, *, asking: Asking = DEFAULT) -> int:
    """Take the block off a key.

    Parameters
    ----------
    alias
        Its name or id.
    """
    from llmgw.cli.keys import set_blocked

    return set_blocked(asking.api(), alias, "unblock")


@keys.command
def revoke(alias: str, /, *, asking: Asking = DEFAULT) -> int:
    """Delete a key, so that it is refused from now on.

    Parameters
    ----------
    alias
        Its name or id.
    """
    from llmgw.cli.keys import revoke as run

    return run(asking.api(), alias)
