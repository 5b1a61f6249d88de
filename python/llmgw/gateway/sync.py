"""A worker's part in the whole: its number, its edge, and taking up new snapshots."""

import asyncio
import fcntl
import os
from pathlib import Path

import msgspec

from llmgw._native import Gateway, die_with_parent
from llmgw.gateway.handover import Handover
from llmgw.telemetry.logs import log

_POLL_SECONDS = 0.1


class Worker:
    """One worker process."""

    def __init__(self, handover: Handover) -> None:
        self._handover = handover
        self._number_lock, self.number = _take_number(Path(handover.run_folder), handover.workers)
        self.gateway = Gateway(handover.shared_path, self.number)
        self._generation = 0
        self._failed = 0
        self._followed = (0, 0)
        self._is_following = False

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Load the snapshot in force, open the edge, and keep an eye on the generation."""
        die_with_parent()
        self._take_up()
        self._follow_directory()
        self.gateway.start(msgspec.json.encode(self._handover.edge))
        loop.call_later(_POLL_SECONDS, self._poll, loop)

    def stop(self) -> None:
        """Let the edge finish what it has, as long as the drain timeout allows."""
        if not self.gateway.drain(self._handover.drain_timeout):
            log.warning("requests were cut off at shutdown", worker=self.number)

    def _poll(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            if self._handover.shared.generation != self._generation:
                self._take_up()
            if self._handover.shared.directory != self._followed and not self._is_following:
                # A whole new directory takes its time; the control plane goes on meanwhile.
                self._is_following = True
                loop.run_in_executor(None, self._follow_directory)
        finally:
            loop.call_later(_POLL_SECONDS, self._poll, loop)

    def _follow_directory(self) -> None:
        """Read the directory of keys on; what could not be read is tried again at the next poll."""
        published = self._handover.shared.directory
        try:
            if self.gateway.follow_directory(self._handover.run_folder):
                self._followed = published
        finally:
            self._is_following = False

    def _take_up(self) -> None:
        generation = self._handover.shared.generation
        try:
            self.gateway.load(self._handover.snapshots.read(generation))
        except ValueError as error:
            # The supervisor has tried it before; a torn read is repeated at the next poll.
            if self._failed != generation:
                log.warning("a snapshot was not taken up", worker=self.number, reason=str(error))
                self._failed = generation
            return
        self._generation = generation


def _take_number(folder: Path, workers: int) -> tuple[int, int]:
    """The lowest number no living process has, and the lock that holds it until this one dies."""
    number = 0
    while True:
        lock = os.open(folder / f"worker-{number}", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            # While one worker is replaced by another there is one more than there should be.
            if number > 2 * workers:
                raise
            number += 1
        else:
            return lock, number
