"""The store's contract runs on every database: `store` is a fresh one, migrated, of each kind."""

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


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    """A store with its tables."""
    store = Store.open(store_url)
    await upgrade.upgrade(store)
    yield store
    await store.close()
