"""`llmgw db` and `llmgw secrets`: the store's tables, backups of it, and the key that it is sealed under."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from llmgw.cli import OK, UNHEALTHY
from llmgw.cli.output import counted, print_json
from llmgw.cli.situation import Situation
from llmgw.store import backup, credentials, keyring, upgrade, urls
from llmgw.store.database import Actor, Store
from llmgw.store.keyring import Keyring

T = TypeVar("T")

_SECONDS = 60.0
_ACTOR = Actor(kind="cli", name=os.environ.get("USER"))


def run_upgrade(situation: Situation) -> int:
    """Take the steps that are missing."""
    before, after = with_store(situation, upgrade.upgrade)
    print(f"the tables are at {after}" + ("" if before == after else f"; they were at {before or 'none'}"))
    return OK


def run_current(situation: Situation, *, as_json: bool) -> int:
    """Tell where the store is, and at which version; exit code 4 if it is not this one."""
    name, version = with_store(situation, _named)
    newest = upgrade.newest()
    if as_json:
        print_json({"store": name, "version": version, "newest": newest})
    else:
        print(f"{name} is at {version or 'no version'}" + ("" if version == newest else f", not at {newest}"))
    return OK if version == newest else UNHEALTHY


def run_backup(situation: Situation, path: Path) -> int:
    """Write a backup."""
    rows = with_store(situation, lambda store: backup.write(store, path))
    print(f"{counted(rows, 'row')} in {path}")
    return OK


def run_restore(situation: Situation, path: Path) -> int:
    """Fill an empty store."""
    rows = with_store(situation, lambda store: backup.restore(store, path))
    print(f"{counted(rows, 'row')} from {path}")
    return OK


def rotate_master(situation: Situation) -> int:
    """Put every credential under a new key of the state folder, or under the environment's present one."""
    count = with_store(situation, lambda store: _rotate(situation, store))
    print(f"{counted(count, 'credential')} put under the new key")
    return OK


async def _named(store: Store) -> tuple[str, str | None]:
    return store.name, await upgrade.current(store)


async def _rotate(situation: Situation, store: Store) -> int:
    """A key that nothing is under any more goes with the next rotation: whoever holds it may finish."""
    ring = Keyring.locate(situation.environment, situation.folder.path)
    if not situation.environment.get(keyring.VARIABLE):
        async with store.read() as tx:
            used = await credentials.keys_in_use(tx)
        keyring.drop_keys(situation.folder.path, used)
        keyring.add_key(situation.folder.path)
    total = 0
    while True:
        async with store.begin(_ACTOR) as tx:
            moved = await credentials.rewrap(tx, ring)
        if not moved:
            return total
        total += moved


def with_store(situation: Situation, do: Callable[[Store], Awaitable[T]]) -> T:
    """What `do` returns for the store of a situation.

    Raises:
        StoreError: as it does, and if the store's address is none.
    """

    async def run() -> T:
        store = Store.open(store_url(situation), statement_seconds=_SECONDS)
        try:
            return await do(store)
        finally:
            await store.close()

    return asyncio.run(run())


def store_url(situation: Situation) -> str:
    """Where the store is: the settings file is only looked at if the environment does not say."""
    environment, folder = situation.environment, situation.folder.path
    if environment.get(urls.VARIABLE):
        return urls.locate(environment, None, folder)
    configured = situation.load().settings.store.url
    url = None if configured is None else configured.resolve(environment).reveal()
    return urls.locate(environment, url, folder)
