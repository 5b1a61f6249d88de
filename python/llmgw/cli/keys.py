"""`llmgw keys`: virtual keys, in a gateway or in the local store."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from llmgw.access.keys import MASTER_ALIAS, expiry
from llmgw.cli import FAILED, OK, USAGE, CommandError
from llmgw.cli.api import Api
from llmgw.cli.asking import Form
from llmgw.cli.objects import NOUNS, find, show_one

_FROM_NOW = re.compile(r"(\d{1,6})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_NOUN = NOUNS["keys"]


class Wanted(msgspec.Struct, frozen=True):
    """The key to make."""

    alias: str
    models: tuple[str, ...]
    model_map: tuple[str, ...]
    """`NAME=MEANING` each."""
    pass_through: tuple[str, ...]
    rpm: int | None
    tpm: int | None
    expires: str | None
    fields: dict[str, Any]
    """Of the API's own names, over the others."""


def create(find_api: Callable[[], Api], wanted: Wanted, form: Form) -> int:
    """Make a key, and show it this once."""
    body = _body(wanted, datetime.now(UTC))
    try:
        made = find_api().ask("POST", _NOUN.path, body)
    except CommandError as error:
        if error.status == FAILED:
            message = f"there is a key '{wanted.alias}' already"
            raise CommandError(message, hint=f"llmgw keys revoke {wanted.alias}") from None
        raise
    return _show_made(made, form)


def rotate(api: Api, word: str, grace: str | None, form: Form) -> int:
    """Give a key another value, and show it this once."""
    key = find(api, _NOUN, word)
    body = {} if grace is None else {"grace_seconds": seconds_of(grace)}
    return _show_made(api.ask("POST", f"{_NOUN.path}/{key['id']}/rotate", body), form)


def set_blocked(api: Api, word: str, action: str) -> int:
    """Block or unblock a key."""
    key = find(api, _NOUN, word)
    api.ask("POST", f"{_NOUN.path}/{key['id']}/{action}")
    print(f"The key '{key['alias']}' is {action}ed.")
    return OK


def revoke(api: Api, word: str) -> int:
    """Delete a key."""
    key = find(api, _NOUN, word)
    api.ask("DELETE", f"{_NOUN.path}/{key['id']}")
    print(f"The key '{key['alias']}' is deleted.")
    return OK


def seconds_of(text: str) -> int:
    """Seconds of `90`, `12h` or `30d`.

    Raises:
        CommandError: it is none of these.
    """
    if text.isdecimal():
        return int(text)
    if match := _FROM_NOW.fullmatch(text):
        return int(timedelta(**{_UNITS[match[2]]: int(match[1])}).total_seconds())
    raise CommandError(f"expected a time such as 12h or 30d, not {text}", status=USAGE)


def _show_made(made: dict[str, Any], form: Form) -> int:
    if form != "table":
        return show_one({"key": made.pop("key"), **made}, form)
    print(made["key"])
    print(f"This is the only time that the key '{made['alias']}' is shown.")
    return OK


def _body(wanted: Wanted, now: datetime) -> dict[str, Any]:
    if wanted.alias == MASTER_ALIAS:
        raise CommandError(f"'{MASTER_ALIAS}' is the admin key's own alias", status=USAGE)
    limits = [
        {"of": of, "amount": amount, "per": "minute"}
        for of, amount in (("requests", wanted.rpm), ("tokens", wanted.tpm))
        if amount is not None
    ]
    fields = {
        "models": list(wanted.models) or None,
        "model_map": dict(_mapping(text) for text in wanted.model_map) or None,
        "pass_through": list(wanted.pass_through) or None,
        "limits": limits or None,
        "expires_at": _moment(wanted.expires, now),
    }
    given = {name: value for name, value in fields.items() if value is not None}
    return {"alias": wanted.alias, **given, **wanted.fields}


def _mapping(text: str) -> tuple[str, str]:
    """Name and meaning of `NAME=MEANING`."""
    name, equals, meaning = text.partition("=")
    if not equals or meaning.count("*") > name.count("*") or name.count("*") > 1:
        raise CommandError(f"--map: expected NAME=MEANING, not {text}", status=USAGE)
    return name, meaning


def _moment(text: str | None, now: datetime) -> str | None:
    """An ISO 8601 time from `30d` or from a date."""
    if text is None:
        return None
    if match := _FROM_NOW.fullmatch(text):
        later = now + timedelta(**{_UNITS[match[2]]: int(match[1])})
        return later.isoformat(timespec="seconds")
    try:
        return datetime.fromtimestamp(expiry(text), UTC).isoformat()
    except ValueError as error:
        raise CommandError(f"--expires: {error}, or 12h, 30d", status=USAGE) from None
