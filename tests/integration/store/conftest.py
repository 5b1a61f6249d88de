"""The store's contract runs on every database: `store` is a fresh one, migrated, of each kind."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import pytest

from llmgw.store import upgrade
from llmgw.store.database import Store
from tests.services import PostgresServer, postgres

__all__ = ["postgres"]

_numbers = count()


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/state/llmgw.db"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    yield server.make_database(f"contract{next(_numbers)}")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the tables and nothing in them: to copy it is quicker than to migrate."""
    path = tmp_path_factory.mktemp("template") / "llmgw.db"
    asyncio.run(_migrate(f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres: PostgresServer) -> str:
    """The same, as the name of a database."""
    asyncio.run(_migrate(postgres.make_database("migrated")))
    return "migrated"


@pytest.fixture(params=["sqlite", "postgresql"])
def migrated_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database with its tables."""
    if request.param == "sqlite":
        (tmp_path / "state").mkdir(mode=0o700)
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "state" / "llmgw.db")
        return f"sqlite:///{tmp_path}/state/llmgw.db"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.make_database(f"contract{next(_numbers)}", request.getfixturevalue("postgres_template"))


@pytest.fixture
async def store(migrated_url: str) -> AsyncIterator[Store]:
    """A store with its tables."""
    store = Store.open(migrated_url)
    yield store
    await store.close()


async def _migrate(url: str) -> None:
    store = Store.open(url)
    await upgrade.upgrade(store)
    await store.close()


@pytest.fixture
async def postgres_store(postgres: PostgresServer, postgres_template: str) -> AsyncIterator[Store]:
    """A store with its tables in PostgreSQL."""
    store = Store.open(postgres.make_database(f"contract{next(_numbers)}", postgres_template))
    yield store
    await store.close()
