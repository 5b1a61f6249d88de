"""`llmgw teams|orgs|projects|users|…`: what each noun's commands do, and how they print it."""

import csv
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec
import yaml

from llmgw.cli import OK, USAGE, CommandError
from llmgw.cli.api import Api
from llmgw.cli.asking import Form
from llmgw.cli.output import print_table

_PAGE = 1000


class Noun(msgspec.Struct, frozen=True):
    """A noun at the command line."""

    path: str
    word: str
    prefix: str
    """What its ids begin with."""
    name: str = "name"
    """The field that people know one by."""
    columns: tuple[str, ...] = ()
    hint: str = ""
    """What an empty list says besides."""


NOUNS = {
    "orgs": Noun("/organisations", "organisation", "org_", columns=("blocked", "created_at")),
    "teams": Noun("/teams", "team", "team_", columns=("organisation_id", "blocked", "created_at")),
    "projects": Noun("/projects", "project", "proj_", columns=("team_id", "organisation_id", "blocked")),
    "users": Noun("/users", "user", "user_", "email", ("name", "organisation_id", "active")),
    "service-accounts": Noun(
        "/service-accounts", "service account", "sa_", columns=("team_id", "project_id")
    ),
    "credentials": Noun("/credentials", "credential", "cred_", columns=("provider", "origin", "updated_at")),
    "models": Noun("/models", "deployment", "model_", columns=("credential_id", "blocked")),
    "keys": Noun(
        "/keys",
        "key",
        "key_",
        "alias",
        ("hint", "models", "team_id", "admin_role", "expires_at", "blocked"),
        hint=" yet; make one with: llmgw keys create ALIAS",
    ),
    "memberships": Noun("/memberships", "membership", "mem_", "user_id", ("role", "scope_kind", "scope_id")),
    "events": Noun("/events", "event", "evt_", "action", ("at", "actor_name", "object_kind", "object_id")),
}


def list_all(api: Api, noun: Noun, where: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Every object that these filters leave, page by page."""
    fields = dict(where) | {"limit": str(_PAGE)}
    while True:
        page = api.ask("GET", f"{noun.path}?{urlencode(fields)}")
        yield from page["items"]
        if page["next"] is None:
            return
        fields["cursor"] = page["next"]


def find(api: Api, noun: Noun, word: str) -> dict[str, Any]:
    """The object of this id or name.

    Raises:
        CommandError: there is none, or several.
    """
    if word.startswith(noun.prefix):
        found: dict[str, Any] = api.ask("GET", f"{noun.path}/{word}")
        return found
    named = list(list_all(api, noun, {noun.name: word}))
    if not named:
        raise CommandError(f"there is no {noun.word} '{word}'")
    if len(named) > 1:
        ids = ", ".join(each["id"] for each in named)
        raise CommandError(f"there are several {noun.word}s '{word}': {ids}", hint="give the id")
    return named[0]


def assignments(texts: Sequence[str]) -> dict[str, Any]:
    """Fields of `NAME=VALUE` each; a value is JSON if it reads as such, and text if not.

    Raises:
        CommandError: one has no equals sign.
    """
    fields = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise CommandError(f"expected FIELD=VALUE, not {text}", status=USAGE)
        try:
            fields[name.replace("-", "_")] = json.loads(value)
        except ValueError:
            fields[name.replace("-", "_")] = value
    return fields


def filters(texts: Sequence[str]) -> dict[str, str]:
    """Filters of `FIELD=VALUE` each.

    Raises:
        CommandError: one has no equals sign.
    """
    for text in texts:
        if "=" not in text:
            raise CommandError(f"expected FIELD=VALUE, not {text}", status=USAGE)
    return {name.replace("-", "_"): value for name, _, value in (text.partition("=") for text in texts)}


def show_usage(api: Api, query: Mapping[str, str], form: Form) -> int:
    """Print sums: a column for each dimension."""
    lines = api.ask("GET", f"/usage?{urlencode(query)}")["items"]
    flat = [{"at": line["at"], **line.pop("by"), **line} for line in lines]
    dimensions = query["by"].split(",") if "by" in query else []
    columns = ("at", *dimensions, "attempts", "calls", "input_tokens", "output_tokens", "cost_nano")
    return show_rows(columns, flat, form)


def show_list(noun: Noun, objects: Sequence[Mapping[str, Any]], form: Form) -> int:
    """Print objects."""
    columns = ("id", noun.name, *noun.columns)
    if form == "table" and not objects:
        print(f"There are no {noun.word}s{noun.hint}")
        return OK
    return show_rows(columns, objects, form)


def show_rows(columns: Sequence[str], objects: Sequence[Mapping[str, Any]], form: Form) -> int:
    """Print objects: whole as JSON or YAML, these columns of them as a table, all of them as CSV."""
    match form:
        case "json":
            _print_json(list(objects))
        case "yaml":
            yaml.safe_dump(_plain(list(objects)), sys.stdout, sort_keys=False, allow_unicode=True)
        case "csv":
            names = list(objects[0]) if objects else list(columns)
            writer = csv.writer(sys.stdout)
            writer.writerow(names)
            writer.writerows([[text_of(each.get(name)) for name in names] for each in objects])
        case "table":
            rows = [[text_of(each.get(name)) for name in columns] for each in objects]
            print_table([name.upper().replace("_", " ") for name in columns], rows)
    return OK


def show_one(fields: Mapping[str, Any], form: Form) -> int:
    """Print one object."""
    match form:
        case "json":
            _print_json(fields)
        case "yaml":
            yaml.safe_dump(_plain(fields), sys.stdout, sort_keys=False, allow_unicode=True)
        case "csv":
            return show_rows(list(fields), [fields], form)
        case "table":
            print_table(("FIELD", "VALUE"), [(name, text_of(value)) for name, value in fields.items()])
    return OK


def text_of(value: Any) -> str:
    """A value in a cell."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case list() if all(isinstance(each, str) for each in value):
            return ", ".join(value)
        case list() | dict():
            return _ENCODER.encode(value).decode()
        case _:
            return str(value)


_ENCODER = msgspec.json.Encoder(decimal_format="number")


def _print_json(value: Any) -> None:
    sys.stdout.write(msgspec.json.format(_ENCODER.encode(value), indent=2).decode() + "\n")


def _plain(value: Any) -> Any:
    """The value with numbers that YAML knows."""
    return json.loads(_ENCODER.encode(value))
