"""Waits between tries: longer each time, and never in step with others who wait for the same."""

import asyncio
import random

from llmgw.telemetry.logs import log

_FIRST, _LONGEST = 0.2, 5.0


class Backoff:
    """The pauses of one who tries again until it works."""

    def __init__(self) -> None:
        self._pause = _FIRST

    def reset(self) -> None:
        """It worked."""
        self._pause = _FIRST

    async def wait(self, stop: asyncio.Event, error: Exception) -> None:
        """It did not: wait, but not longer than until `stop`. The first time is logged."""
        if self._pause == _FIRST:
            log.warning("the store cannot be used; trying again", reason=str(error))
        seconds = self._pause * random.uniform(0.5, 1.0)  # noqa: S311 - spreads tries, guards nothing
        self._pause = min(self._pause * 2, _LONGEST)
        await pause(stop, seconds)


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Wait, but not longer than until `stop`."""
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
