"""Jobs that the store holds: each is done once, by whichever bookkeeper takes it first.

Repricing takes the settings' prices, which a bookkeeper does not know: a command does it, in a process of its
own, so that the books are not kept waiting.
"""

import asyncio
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from llmgw.books import reprice
from llmgw.books.backoff import Backoff, pause
from llmgw.store import jobs
from llmgw.store.database import Store
from llmgw.store.errors import StoreError
from llmgw.store.jobs import Job
from llmgw.telemetry.logs import log

_POLL_SECONDS = 5.0
_LEASE_SECONDS = 3600.0


class Jobs:
    """Looks for jobs, and has them done."""

    def __init__(self, store: Store, config: Path | None) -> None:
        self._store = store
        self._config = config
        self._worker = f"{socket.gethostname()}:{os.getpid()}"

    async def run(self, stop: asyncio.Event) -> None:
        """Do jobs until `stop`."""
        backoff = Backoff()
        while not stop.is_set():
            try:
                async with self._store.begin() as tx:
                    job = await jobs.take(tx, self._worker, [reprice.KIND], _LEASE_SECONDS)
                if job is not None:
                    await self._do(job, stop)
                    continue
            except StoreError as error:
                await backoff.wait(stop, error)
                continue
            backoff.reset()
            await pause(stop, _POLL_SECONDS)

    async def _do(self, job: Job, stop: asyncio.Event) -> None:
        """Do one; it is told as done by the command itself."""
        process = await asyncio.create_subprocess_exec(
            *self._command(job), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
        )
        finishing = asyncio.create_task(process.communicate())
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({finishing, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not finishing.done():  # the lease runs out, and another bookkeeper does it again
            process.kill()
        _, told = await finishing
        if process.returncode and not stop.is_set():
            reason = told.decode(errors="replace").strip()[-500:]
            log.error("a job failed", job=job.id, reason=reason)
            async with self._store.begin() as tx:
                await jobs.fail(tx, job, reason)

    def _command(self, job: Job) -> Sequence[str]:
        config = [] if self._config is None else ["--config", str(self._config)]
        return [sys.executable, "-P", "-m", "llmgw", "ledger", "reprice", "--job", job.id, *config]
