"""The bookkeeper's parts on every database, with journals as the workers write them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.books.scribe import Scribe
from tests.integration.store.conftest import migrated_url, postgres_template, sqlite_template, store
from tests.services import postgres

__all__ = ["migrated_url", "postgres", "postgres_template", "sqlite_template", "store"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the journals."""
    return tmp_path / "journal"


@pytest.fixture
def scribe(folder: Path) -> Iterator[Scribe]:
    """A worker's journal that is open."""
    scribe = Scribe(folder)
    yield scribe
    scribe.close()
