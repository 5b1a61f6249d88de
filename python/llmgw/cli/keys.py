"""`llmgw keys`: the virtual keys of the state folder."""

import re
from datetime import UTC, datetime, timedelta

import msgspec

from llmgw.access.keys import MASTER_ALIAS, expiry, make_key
from llmgw.cli import OK, USAGE, CommandError
from llmgw.cli.output import print_json, print_table
from llmgw.settings.environment import Environment
from llmgw.settings.schema import KeyEntry
from llmgw.state import StateFolder

_FROM_NOW = re.compile(r"(\d{1,6})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


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


def create(environment: Environment, wanted: Wanted, *, as_json: bool) -> int:
    """Make a key, keep its digest, and show it."""
    now = datetime.now(UTC)
    fields = _fields(wanted, now)
    folder = StateFolder.locate(environment)
    state = folder.prepare(with_master_key=False)
    made = make_key(fields, state.pepper, now)

    def add(keys: tuple[KeyEntry, ...]) -> tuple[KeyEntry, ...]:
        if any(key.alias == wanted.alias for key in keys):
            raise CommandError(
                f"there is a key '{wanted.alias}' already", hint=f"llmgw keys revoke {wanted.alias}"
            )
        return (*keys, made.entry)

    folder.change_keys(add)
    if as_json:
        print_json({"key": made.secret.reveal(), **describe(made.entry)})
    else:
        print(made.secret.reveal())
        print(f"This is the only time that the key '{wanted.alias}' is shown.")
    return OK


def list_keys(environment: Environment, *, as_json: bool) -> int:
    """Print what is kept of every key."""
    keys = StateFolder.locate(environment).read_keys()
    if as_json:
        print_json([describe(key) for key in keys])
        return OK
    if not keys:
        print("There are no keys yet; make one with: llmgw keys create ALIAS")
        return OK
    rows = [
        (
            key.alias,
            key.hint or "",
            ", ".join(key.models) if key.models is not None else "all",
            str(key.rpm_limit or ""),
            str(key.tpm_limit or ""),
            key.expires or "",
            standing(key, datetime.now(UTC)),
        )
        for key in keys
    ]
    print_table(("ALIAS", "KEY", "MODELS", "RPM", "TPM", "EXPIRES", "STANDING"), rows)
    return OK


def info(environment: Environment, alias: str, *, as_json: bool) -> int:
    """Print what is kept of one key."""
    fields = describe(_find(StateFolder.locate(environment).read_keys(), alias))
    if as_json:
        print_json(fields)
    else:
        print_table(("FIELD", "VALUE"), [(name, _text(value)) for name, value in fields.items()])
    return OK


def revoke(environment: Environment, alias: str) -> int:
    """Delete a key."""

    def remove(keys: tuple[KeyEntry, ...]) -> tuple[KeyEntry, ...]:
        gone = _find(keys, alias)
        return tuple(key for key in keys if key is not gone)

    folder = StateFolder.locate(environment)
    if not folder.path.is_dir():
        raise _no_such_key(alias)
    folder.change_keys(remove)
    print(f"The key '{alias}' is deleted.")
    return OK


def describe(key: KeyEntry) -> dict[str, object]:
    """What may be shown of a key: everything but its digest."""
    return {
        "alias": key.alias,
        "hint": key.hint,
        "models": key.models,
        "model_map": key.model_map,
        "pass_through": key.pass_through,
        "rpm_limit": key.rpm_limit,
        "tpm_limit": key.tpm_limit,
        "expires": key.expires,
        "created": key.created,
        "standing": standing(key, datetime.now(UTC)),
    }


def standing(key: KeyEntry, now: datetime) -> str:
    """`blocked`, `expired` or `active`."""
    if key.blocked:
        return "blocked"
    if key.expires is not None and expiry(key.expires) <= now.timestamp():
        return "expired"
    return "active"


def _fields(wanted: Wanted, now: datetime) -> KeyEntry:
    """The key's fields, checked like those of a file; the digest is a stand-in."""
    if wanted.alias == MASTER_ALIAS:
        raise CommandError(f"'{MASTER_ALIAS}' is the admin key's own alias", status=USAGE)
    fields = {
        "alias": wanted.alias,
        "models": list(wanted.models) or None,
        "model_map": dict(_mapping(text) for text in wanted.model_map),
        "pass_through": list(wanted.pass_through) or None,
        "rpm_limit": wanted.rpm,
        "tpm_limit": wanted.tpm,
        "expires": _moment(wanted.expires, now),
        "digest": "0" * 64,
    }
    try:
        return msgspec.convert(fields, KeyEntry)
    except msgspec.ValidationError as error:
        raise CommandError(str(error), status=USAGE) from None


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
        expiry(text)
    except ValueError as error:
        raise CommandError(f"--expires: {error}, or 12h, 30d", status=USAGE) from None
    return text


def _find(keys: tuple[KeyEntry, ...], alias: str) -> KeyEntry:
    for key in keys:
        if key.alias == alias:
            return key
    raise _no_such_key(alias)


def _no_such_key(alias: str) -> CommandError:
    hint = "llmgw keys list shows those made here; keys of a settings file are changed there"
    return CommandError(f"there is no key '{alias}'", hint=hint)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, dict):
        return ", ".join(f"{name}={meaning}" for name, meaning in value.items())
    return ", ".join(value) if isinstance(value, tuple) else str(value)
