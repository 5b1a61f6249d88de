"""`llmgw configure`: point a client at the gateway, by printing its settings or writing them."""

import os
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from llmgw.cli import OK, USAGE, CommandError
from llmgw.cli.clients import CLIENTS
from llmgw.cli.clients.base import KEY_VARIABLE, Access, Client, Edit
from llmgw.cli.clients.merge import MergeError
from llmgw.settings.secrets import Secret

_DEFAULT_URL = "http://127.0.0.1:4000"
_STAND_IN = Secret("YOUR-KEY")
_PRIVATE = 0o600


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for."""

    client: str
    url: str | None
    key: Secret | None
    models: tuple[str, ...]
    write: bool
    show_key: bool


def configure(environment: Mapping[str, str], home: Path, wanted: Wanted) -> int:
    """Print or write a client's settings."""
    client = CLIENTS.get(wanted.client)
    if client is None:
        raise CommandError(
            f"no client '{wanted.client}' is known", hint=f"known are {', '.join(CLIENTS)}", status=USAGE
        )
    access = _access(environment, wanted)
    shown = access if wanted.show_key or access.key is None else _without_key(access)
    if not wanted.write:
        _print(client.edits(shown, environment, home))
    else:
        if client.keeps_key and access.key is None:
            hint = f"give --api-key, or set {KEY_VARIABLE}; llmgw keys create makes one"
            raise CommandError(f"{client.title} keeps its key in its settings", hint=hint, status=USAGE)
        _write(client, client.edits(access, environment, home))
    for note in client.notes(shown):
        print(note)
    return OK


def _access(environment: Mapping[str, str], wanted: Wanted) -> Access:
    given = environment.get(KEY_VARIABLE)
    key = wanted.key or (Secret(given) if given else None)
    for text in (*wanted.models, *([] if key is None else [key.reveal()])):
        if not text or not all("\x21" <= character <= "\x7e" for character in text):
            raise CommandError("a key or a model holds characters that fit no setting", status=USAGE)
    if key is None and not wanted.write:
        key = _STAND_IN
    return Access(
        url=_root(wanted.url or environment.get("LLMGW_URL") or _DEFAULT_URL), key=key, models=wanted.models
    )


def _without_key(access: Access) -> Access:
    return msgspec.structs.replace(access, key=_STAND_IN)


def _root(url: str) -> str:
    """The gateway's root: people give it with `/v1`, as clients of OpenAI are told it."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or not url.isprintable():
        raise CommandError(f"not a URL: {url}", hint="expected https://host:port", status=USAGE)
    return url.rstrip("/").removesuffix("/v1")


def _print(edits: tuple[Edit, ...]) -> None:
    for edit in edits:
        print(f"# {edit.path}")
        print(edit.merge(""))


def _write(client: Client, edits: tuple[Edit, ...]) -> None:
    """Every change, or none that cannot be made with certainty."""
    changes: list[tuple[Path, str, str]] = []
    for edit in edits:
        path = edit.path.resolve()  # settings are often links into a folder under version control
        try:
            before = path.read_text(encoding="utf-8") if path.exists() else ""
            changes.append((path, before, edit.merge(before)))
        except (MergeError, OSError, UnicodeDecodeError) as error:
            hint = f"llmgw configure {client.name} prints what belongs there"
            raise CommandError(f"{path} is left as it is: {error}", hint=hint) from None
    for path, before, after in changes:
        _replace(path, before, after)


def _replace(path: Path, before: str, after: str) -> None:
    """Put the new text in the file's place at once, for its owner alone; the old text stays beside it."""
    if after == before:
        print(f"{path} says so already.")
        path.chmod(_PRIVATE)
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = ""
    if path.exists():
        moment = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        backup = path.with_name(f"{path.name}.{moment}.bak")
        _write_private(backup, before)
        kept = f" What it said before is in {backup.name}."
    _write_private(path, after)
    print(f"{path} is written.{kept}")


def _write_private(path: Path, text: str) -> None:
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    Path(name).replace(path)
