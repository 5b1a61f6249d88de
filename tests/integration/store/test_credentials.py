"""Credentials in the database: sealed, for one origin, under keys that can be changed while they are read."""

import asyncio
from pathlib import Path

import pytest
import sqlalchemy as sa

from llmgw.settings.environment import Environment
from llmgw.settings.secrets import Secret
from llmgw.store import credentials, events, keyring, tables, upgrade
from llmgw.store.credentials import Credential, origin_of
from llmgw.store.database import Store
from llmgw.store.keyring import Keyring
from llmgw.store.noun import Refused
from llmgw.store.paging import Paging
from llmgw.store.scope import Scope
from llmgw.store.sealing import Unsealable

ALL = Scope.all()
ORIGIN = "https://api.openai.com:443"
CANARY = Secret("sk-canary-5d1f0b77")


@pytest.fixture
def ring(tmp_path: Path) -> Keyring:
    return Keyring.locate(Environment({}), tmp_path)


async def make(store: Store, ring: Keyring, name: str = "main", origin: str = ORIGIN) -> str:
    async with store.begin() as tx:
        wanted = Credential(name=name, provider="openai", origin=origin)
        return (await credentials.create(tx, ALL, wanted, CANARY, ring)).id


async def test_a_credential_opens_for_its_origin_only(store: Store, ring: Keyring) -> None:
    id = await make(store, ring)
    async with store.read() as tx:
        assert await credentials.open_(tx, id, ORIGIN, ring) == CANARY
        for origin in ("https://evil.example:443", "http://api.openai.com:80", ""):
            with pytest.raises(Unsealable):
                await credentials.open_(tx, id, origin, ring)


async def test_a_row_that_is_pasted_onto_another_does_not_open(store: Store, ring: Keyring) -> None:
    one, other = await make(store, ring), await make(store, ring, "evil", "https://evil.example:443")
    table = tables.credentials
    async with store.begin() as tx:
        sealed = sa.select(table.c.sealed).where(table.c.id == one).scalar_subquery()
        await tx.execute(sa.update(table).where(table.c.id == other).values(sealed=sealed))
    async with store.read() as tx:
        for origin in ("https://evil.example:443", ORIGIN):
            with pytest.raises(Unsealable):
                await credentials.open_(tx, other, origin, ring)


async def test_the_origin_of_a_credential_never_changes(store: Store, ring: Keyring) -> None:
    id = await make(store, ring)
    async with store.begin() as tx:
        with pytest.raises(Refused, match="origin"):
            await credentials.update(tx, ALL, id, {"origin": "https://evil.example:443"})


async def test_nothing_tells_the_secret(store: Store, ring: Keyring) -> None:
    id = await make(store, ring)
    async with store.begin() as tx:
        await credentials.replace(tx, ALL, id, Secret(CANARY.reveal() + "-2"), ring)
        told = [await credentials.get(tx, ALL, id), await events.page(tx, ALL, Paging())]
    assert CANARY.reveal() not in str(told)
    assert "sealed" not in str(told)


async def test_the_database_file_does_not_hold_the_secret(tmp_path: Path, ring: Keyring) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/state/llmgw.db")
    await upgrade.upgrade(store)
    await make(store, ring)
    held = b"".join(path.read_bytes() for path in (tmp_path / "state").iterdir())
    await store.close()
    assert b"api.openai.com" in held
    assert CANARY.reveal().encode() not in held


async def test_reads_go_on_while_the_key_is_changed(store: Store, ring: Keyring, tmp_path: Path) -> None:
    made = [await make(store, ring, f"c{number}") for number in range(12)]
    done = asyncio.Event()
    reader = Keyring.locate(Environment({}), tmp_path)  # of another process, which is told nothing

    async def read() -> int:
        count = 0
        while not done.is_set():
            for id in made:
                async with store.read() as tx:
                    assert await credentials.open_(tx, id, ORIGIN, reader) == CANARY
                count += 1
        return count

    async def rotate() -> None:
        keyring.add_key(tmp_path)
        moved = -1
        while moved:
            async with store.begin() as tx:
                moved = await credentials.rewrap(tx, ring, limit=3)
        done.set()

    count, _ = await asyncio.gather(read(), rotate())
    async with store.read() as tx:
        used = await credentials.keys_in_use(tx)
    assert count > 0
    assert used == {ring.current.id}
    assert keyring.drop_keys(tmp_path, used) == 1


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://API.OpenAI.com/v1", "https://api.openai.com:443"),
        ("http://127.0.0.1:8000/x", "http://127.0.0.1:8000"),
        ("https://user@[::1]/", "https://[::1]:443"),
    ],
)
def test_an_origin_is_written_in_one_way(url: str, origin: str) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    "url", ["", "api.openai.com", "ftp://x", "https://", "https://x:99999", "https://[x"]
)
def test_what_has_no_origin_takes_no_credential(url: str) -> None:
    with pytest.raises(Refused):
        origin_of(url)
