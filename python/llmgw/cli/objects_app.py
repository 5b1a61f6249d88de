"""The options of `llmgw teams|orgs|users|…` and `llmgw usage`; what they do is in `llmgw.cli.objects`."""

# ruff: noqa: PLC0415 - as in llmgw.cli.app

from collections.abc import Callable
from typing import Annotated, Literal

from cyclopts import App, Parameter

from llmgw.cli.asking import DEFAULT, Asking

Sets = Annotated[tuple[str, ...], Parameter(name="--set", negative="")]
Wheres = Annotated[tuple[str, ...], Parameter(name="--where", negative="")]

_HELP = {
    "orgs": "Organisations: tenants.",
    "teams": "Teams, of an organisation or on their own.",
    "projects": "Projects of teams or organisations.",
    "users": "People.",
    "service-accounts": "Programs that keys belong to.",
    "credentials": "What is shown to providers; secrets are written and never read.",
    "memberships": "Who has which role, and where.",
}


def noun_apps() -> list[App]:
    """An app for each noun that is made, read, changed and deleted alike."""
    return [_noun_app(name) for name in _HELP]


def _noun_app(noun: str) -> App:
    app = App(name=noun, help=_HELP[noun])
    app.command(lister(noun), name="list")
    app.command(reader(noun), name="info")
    app.command(_maker(noun), name="create")
    if noun != "memberships":  # a role is given or taken
        app.command(changer(noun), name="update")
    app.command(deleter(noun), name="delete")
    return app


def lister(noun: str) -> Callable[..., int]:
    """The command that lists a noun."""

    def list_(*, where: Wheres = (), asking: Asking = DEFAULT) -> int:
        """List them.

        Parameters
        ----------
        where
            FIELD=VALUE: only those; repeatable.
        """
        from llmgw.cli.objects import NOUNS, filters, list_all, show_list

        found = list(list_all(asking.api(), NOUNS[noun], filters(where)))
        return show_list(NOUNS[noun], found, asking.form)

    return list_


def reader(noun: str) -> Callable[..., int]:
    """The command that shows one."""

    def info(name: str, /, *, asking: Asking = DEFAULT) -> int:
        """Show one.

        Parameters
        ----------
        name
            Its name or id.
        """
        from llmgw.cli.objects import NOUNS, find, show_one

        return show_one(find(asking.api(), NOUNS[noun], name), asking.form)

    return info


def _maker(noun: str) -> Callable[..., int]:
    def create(name: str, /, *, set_: Sets = (), asking: Asking = DEFAULT) -> int:
        """Make one.

        Parameters
        ----------
        name
            What it is to be called; of a person the email address, of a membership the person's id.
        set_
            FIELD=VALUE, as the admin API has them; values may be JSON; repeatable.
        """
        from llmgw.cli.objects import NOUNS, assignments, show_one

        kind = NOUNS[noun]
        body = {kind.name: name, **assignments(set_)}
        return show_one(asking.api().ask("POST", kind.path, body), asking.form)

    return create


def changer(noun: str) -> Callable[..., int]:
    """The command that changes one."""

    def update(name: str, /, *, set_: Sets, asking: Asking = DEFAULT) -> int:
        """Change fields of one.

        Parameters
        ----------
        name
            Its name or id.
        set_
            FIELD=VALUE, as the admin API has them; values may be JSON, null takes away; repeatable.
        """
        from llmgw.cli.objects import NOUNS, assignments, find, show_one

        api, kind = asking.api(), NOUNS[noun]
        id = find(api, kind, name)["id"]
        return show_one(api.ask("PATCH", f"{kind.path}/{id}", assignments(set_)), asking.form)

    return update


def deleter(noun: str) -> Callable[..., int]:
    """The command that deletes one."""

    def delete(name: str, /, *, asking: Asking = DEFAULT) -> int:
        """Delete one, to which nothing belongs any more.

        Parameters
        ----------
        name
            Its name or id.
        """
        from llmgw.cli import OK
        from llmgw.cli.objects import NOUNS, find

        api, kind = asking.api(), NOUNS[noun]
        found = find(api, kind, name)
        api.ask("DELETE", f"{kind.path}/{found['id']}")
        print(f"The {kind.word} '{found[kind.name]}' is deleted.")
        return OK

    return delete


def usage(
    *,
    by: str | None = None,
    grain: Literal["hour", "day", "month", "all"] = "all",
    since: str | None = None,
    until: str | None = None,
    where: Wheres = (),
    asking: Asking = DEFAULT,
) -> int:
    """Sum up what was used, by any dimensions.

    Parameters
    ----------
    by
        Dimensions with commas between them: team_id,model_group.
    grain
        By which times lines are told apart.
    since
        From the hour of this time on (ISO 8601).
    until
        Up to the hour of this time.
    where
        DIMENSION=VALUE: only those; repeatable.
    """
    from llmgw.cli.objects import filters, show_usage

    asked = {"by": by, "grain": grain, "since": since, "until": until, **filters(where)}
    given = {name: value for name, value in asked.items() if value is not None}
    return show_usage(asking.api(), given, asking.form)


def events(*, where: Wheres = (), asking: Asking = DEFAULT) -> int:
    """List who changed what.

    Parameters
    ----------
    where
        FIELD=VALUE: only those; repeatable.
    """
    return lister("events")(where=where, asking=asking)
