"""Takes the keys of the state folder's `keys.yaml` into the store, once: what earlier versions kept there.

A running gateway goes on serving them from the file until it is renamed, and by then has them from the store.
"""

import sys
import time

from llmgw.access.keys import expiry
from llmgw.cli.database import with_store
from llmgw.cli.situation import Situation
from llmgw.settings.schema import KeyEntry
from llmgw.store import keys, upgrade
from llmgw.store.database import Actor, Store
from llmgw.store.scope import Scope

_IMPORTED = ".imported"
_UNTIL_TAKEN_UP = 2.0
"""Seconds in which every worker has read the directory of keys."""
_SECOND = 1_000_000


def import_keys(situation: Situation) -> int:
    """Take the file's keys over, if there is one; how many.

    Raises:
        StateError: the file cannot be read.
        SettingsError: it cannot be used.
        StoreError: the store cannot be used.
    """
    file = situation.folder.keys_file
    entries = situation.folder.read_keys()
    if not file.exists():
        return 0
    count = with_store(situation, lambda store: _take(store, entries))
    if count:
        time.sleep(_UNTIL_TAKEN_UP)
    file.replace(file.with_name(file.name + _IMPORTED))
    if count:
        print(f"{count} keys of {file} are in the store now; the file is kept as it was", file=sys.stderr)
    return count


async def _take(store: Store, entries: tuple[KeyEntry, ...]) -> int:
    await upgrade.upgrade(store)
    count = 0
    async with store.begin(Actor(kind="cli", name="import")) as tx:
        for entry in entries:
            known = await keys.find_by_alias(tx, Scope.all(), entry.alias)
            if known is None and entry.digest is not None:
                await keys.create(tx, Scope.all(), _record(entry), entry.digest)
                count += 1
    return count


def _record(entry: KeyEntry) -> keys.Key:
    limits = [
        {"of": of, "amount": amount, "per": "minute"}
        for of, amount in (("requests", entry.rpm_limit), ("tokens", entry.tpm_limit))
        if amount is not None
    ]
    return keys.Key(
        alias=entry.alias,
        hint=entry.hint,
        models=None if entry.models is None else list(entry.models),
        model_map=dict(entry.model_map) or None,
        pass_through=None if entry.pass_through is None else list(entry.pass_through),
        expires_at=None if entry.expires is None else expiry(entry.expires) * _SECOND,
        blocked=entry.blocked,
        limits=limits or None,
        endpoints=None if entry.endpoints is None else list(entry.endpoints),
        networks=None if entry.networks is None else list(entry.networks),
        regions=None if entry.regions is None else list(entry.regions),
        tags=list(entry.tags) or None,
        priority=entry.priority,
    )
