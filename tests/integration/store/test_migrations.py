"""The migrations lead to the tables as they are defined, and only forward."""

import stat
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from llmgw.store import keys, upgrade
from llmgw.store.database import Store
from llmgw.store.errors import StoreMisfit
from llmgw.store.paging import Paging
from llmgw.store.scope import Scope
from llmgw.store.tables import METADATA


def _differences(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection), METADATA))


async def test_the_migrations_make_the_tables_that_are_defined(store: Store) -> None:
    async with store.read() as tx:
        assert await tx.connection.run_sync(_differences) == []


async def test_a_second_upgrade_changes_nothing(store: Store) -> None:
    assert await upgrade.upgrade(store) == (upgrade.newest(), upgrade.newest())


async def test_a_database_of_a_later_version_is_left_alone(store: Store) -> None:
    async with store.begin() as tx:
        await tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreMisfit, match="9999"):
        await upgrade.upgrade(store)


async def test_a_database_without_tables_says_what_to_do(store_url: str) -> None:
    store = Store.open(store_url)
    with pytest.raises(StoreMisfit, match="llmgw db upgrade"):
        async with store.read() as tx:
            await keys.page(tx, Scope.all(), Paging())
    await store.close()


async def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/state/llmgw.db")
    await upgrade.upgrade(store)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "state").iterdir()}
    await store.close()
    assert modes == {0o600}


def test_no_migration_leads_back() -> None:
    files = Path(upgrade.__file__).parent.joinpath("migrations/versions").glob("*.py")
    assert [path.name for path in files if "def downgrade" in path.read_text(encoding="utf-8")] == []
