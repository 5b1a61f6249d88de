"""Bring the tables to this version of llmgw, and tell at which version they are."""

from pathlib import Path

from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, text

from llmgw.store.database import Store
from llmgw.store.errors import StoreMisfit
from llmgw.store.failures import within

_FOLDER = Path(__file__).parent / "migrations"
_SECONDS = 3600.0
_LOCK = 0x6C6C6D6777  # one migrates at a time: "llmgw"


async def upgrade(store: Store, to: str = "head") -> tuple[str | None, str | None]:
    """Take every step that is missing up to a version, all or none, while no other process does.

    What is returned are the versions before and after.

    Raises:
        StoreMisfit: the tables were made by a later version of llmgw.
        StoreUnavailable: the database does not answer.
    """
    async with store.begin() as tx, within(_SECONDS, "migrate"):
        return await tx.connection.run_sync(_upgrade, to)


async def current(store: Store) -> str | None:
    """The version of the tables; `None` before the first step.

    Raises:
        StoreUnavailable: the database does not answer.
    """
    async with store.read() as tx, within(_SECONDS, "answer"):
        return await tx.connection.run_sync(version_of)


def newest() -> str | None:
    """The version that this llmgw wants."""
    return _scripts().get_current_head()


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(_FOLDER))


def version_of(connection: Connection) -> str | None:
    """The version of the tables, for `run_sync`."""
    return MigrationContext.configure(connection).get_current_revision()


def _upgrade(connection: Connection, to: str) -> tuple[str | None, str | None]:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SET LOCAL lock_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    before = version_of(connection)
    scripts = _scripts()
    try:
        steps = scripts._upgrade_revs(to, before) if before else None
    except CommandError:
        raise StoreMisfit(
            f"the tables are at {before}, which this version of llmgw does not know: it is too old for them"
        ) from None
    if steps is None or steps:
        _run(connection, scripts, to)
    return before, version_of(connection)


def _run(connection: Connection, scripts: ScriptDirectory, to: str) -> None:
    """Take the steps, in the transaction that has begun."""
    with EnvironmentContext(
        Config(), scripts, fn=lambda revision, _context: scripts._upgrade_revs(to, revision)
    ) as environment:
        environment.configure(connection=connection, transaction_per_migration=False)
        environment.run_migrations()
