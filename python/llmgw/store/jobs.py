"""Jobs: work that a bookkeeper does when it is due, once, whichever of several takes it first."""

from collections.abc import Collection
from typing import Any

import msgspec
import sqlalchemy as sa

from llmgw.store import ids
from llmgw.store.kept import Kept
from llmgw.store.noun import Noun
from llmgw.store.scope import Scope
from llmgw.store.tables import jobs as table
from llmgw.store.transaction import Transaction

WAITING, RUNNING, DONE, FAILED = "waiting", "running", "done", "failed"


class Job(Kept, frozen=True, kw_only=True):
    """One piece of work."""

    kind: str
    state: str = WAITING
    arguments: dict[str, Any] | None = None
    result: dict[str, Any] | None = None
    error: str | None = None
    worker: str | None = None
    """Who does it."""
    due_at: int = 0
    leased_until: int | None = None
    """When another may take it, if its worker has not been heard of."""
    attempts: int = 0


_jobs = Noun("job", "job", table, Job, filters=("kind", "state"), search=None)

create = _jobs.create
find = _jobs.find
get = _jobs.get
page = _jobs.page


async def take(tx: Transaction, worker: str, kinds: Collection[str], seconds: float) -> Job | None:
    """Take the job of these kinds that has been due longest, or was left by a worker that is gone."""
    now = ids.now()
    free = sa.or_(table.c.state == WAITING, sa.and_(table.c.state == RUNNING, table.c.leased_until <= now))
    query = (
        _jobs.query(Scope.all())
        .where(free, table.c.due_at <= now, table.c.kind.in_(sorted(kinds)))
        .order_by(table.c.due_at, table.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    row = await tx.first(query)
    if row is None:
        return None
    job = _jobs.read(row)
    taken = {"state": RUNNING, "worker": worker, "leased_until": now + int(seconds * 1_000_000)}
    return await _write(tx, job, {**taken, "attempts": job.attempts + 1})


async def finish(tx: Transaction, job: Job, result: dict[str, Any] | None = None) -> bool:
    """It is done; false if it was taken away meanwhile, and what was done must not be kept."""
    return await _end(tx, job, {"state": DONE, "result": result, "leased_until": None})


async def fail(tx: Transaction, job: Job, error: str, *, again_at: int | None = None) -> bool:
    """It failed, for good or until `again_at`; false as in `finish`."""
    state = FAILED if again_at is None else WAITING
    due = job.due_at if again_at is None else again_at
    return await _end(tx, job, {"state": state, "error": error, "due_at": due, "leased_until": None})


async def _end(tx: Transaction, job: Job, fields: dict[str, Any]) -> bool:
    held = await _jobs.hold(tx, Scope.all(), job.id)
    if held.version != job.version:
        return False
    await _write(tx, held, fields)
    return True


async def _write(tx: Transaction, job: Job, fields: dict[str, Any]) -> Job:
    """Without an event: that a job is worked on is nobody's deed."""
    after = msgspec.structs.replace(job, **fields, version=job.version + 1, updated_at=ids.now())
    values = msgspec.structs.asdict(after)
    await tx.execute(sa.update(table).where(table.c.id == job.id).values(values))
    return after
