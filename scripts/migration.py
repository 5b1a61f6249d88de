"""Write the next migration of the store: what is in the tables' definitions and not in the migrations yet.

    python scripts/migration.py "Add what a key was last used for" [--tables keys,teams]

Read it before you commit it: a renamed column looks like a removed one and a new one.
"""

import argparse
import asyncio
import tempfile
from pathlib import Path
from typing import Any, Literal

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from llmgw.store import upgrade
from llmgw.store.database import Store
from llmgw.store.tables import METADATA, Json

FOLDER = Path("python/llmgw/store/migrations/versions")


def render(kind: str, item: Any, _context: object) -> str | Literal[False]:
    """JSON columns are texts to the database."""
    return "sa.Text()" if kind == "type" and isinstance(item, Json) else False


def missing(connection: Connection, tables: frozenset[str]) -> str:
    """The body of the step that is missing."""

    def included(_item: object, name: str | None, kind: str, _reflected: bool, _other: object) -> bool:
        return kind != "table" or not tables or name in tables

    context = MigrationContext.configure(connection, opts={"include_object": included})
    script = produce_migrations(context, METADATA)
    if script.upgrade_ops is None or script.upgrade_ops.is_empty():
        raise SystemExit("nothing is missing")
    body = render_python_code(script.upgrade_ops, render_item=render)
    lines = [line for line in body.splitlines() if "###" not in line]
    # SQLite's words for no and yes, in everybody's.
    return "\n".join(lines).strip().replace("sa.text('0')", "sa.false()").replace("sa.text('1')", "sa.true()")


async def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("message")
    parser.add_argument("--tables", default="")
    options = parser.parse_args()
    tables = frozenset(filter(None, options.tables.split(",")))
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(f"sqlite:///{folder}/llmgw.db")
        before = upgrade.newest()
        if before:
            await upgrade.upgrade(store)
        async with store.read() as tx:
            body = await tx.connection.run_sync(missing, tables)
        await store.close()
    number = f"{int(before or 0) + 1:04}"
    words = "_".join(options.message.lower().split())
    text = (
        f'"""{options.message}."""\n\nimport sqlalchemy as sa\nfrom alembic import op\n\n'
        f'revision = "{number}"\ndown_revision = {f"{chr(34)}{before}{chr(34)}" if before else None}\n\n\n'
        f'def upgrade() -> None:\n    """Take the step."""\n    {body}\n'
    )
    (FOLDER / f"{number}_{words}.py").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main())
