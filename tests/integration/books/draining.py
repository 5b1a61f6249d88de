"""A drain as a process of its own, to be killed: `python -m tests.integration.books.draining URL FOLDER`."""

import asyncio
import sys
from pathlib import Path

from llmgw.books.keeping import Keeping
from llmgw.store.database import Store
from tests.integration.books.memory import FakeMemory


async def drain(url: str, folder: Path) -> None:
    """Keep the books until killed."""
    keeping = Keeping(Store.open(url), FakeMemory(folder), folder, keep_days=1)
    await keeping.run(asyncio.Event())


if __name__ == "__main__":
    asyncio.run(drain(sys.argv[1], Path(sys.argv[2])))
