"""The supervisor's side: starts the bookkeeper, starts another where one dies, and ends it last."""

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from llmgw.books.options import URL_VARIABLE, BooksOptions
from llmgw.telemetry import books as health
from llmgw.telemetry.logs import log

DONE = b"done\n"
"""Written before its standard input is closed: all workers have ended."""
_LOOK_SECONDS = 0.02
_AGAIN_SECONDS = (0.1, 5.0)
"""The first and the longest pause before another is started."""
_WARN_SECONDS = 10.0
_END_SECONDS = 20.0
"""For the last drain, once the workers have ended."""


class BookkeeperProcess:
    """One bookkeeper, whichever process that is just now."""

    def __init__(self, options: BooksOptions, url: str) -> None:
        self._options = options
        self._environment: Mapping[str, str] = os.environ | {URL_VARIABLE: url}
        self._process: subprocess.Popen[bytes] | None = None
        self._is_ending = threading.Event()
        # Whoever starts it must live as long as it: the system tells it of the death of that thread.
        self._keeper = threading.Thread(target=self._keep, name="llmgw-books", daemon=True)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Keep one running until the block ends, in which all workers live."""
        self._keeper.start()
        try:
            yield
        finally:
            self._stop()

    def wait_until_ready(self) -> None:
        """Wait until it says that workers may start: they have their keys, and budgets their spending."""
        warn_at = time.monotonic() + self._options.start_timeout + _WARN_SECONDS
        while True:
            told = health.read(self._options.run_folder)
            if told is not None and told.ready:
                return
            if time.monotonic() >= warn_at:
                warn_at = time.monotonic() + _WARN_SECONDS
                reason = "" if told is None else told.trouble or ""
                log.warning("waiting for the store before anything is served", reason=reason)
            time.sleep(_LOOK_SECONDS)

    def _stop(self) -> None:
        """Let it drain the journal, which is closed by now, and end it."""
        self._is_ending.set()
        process = self._process
        if process is not None:
            _say(process, DONE)
            try:
                process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                log.warning("the bookkeeper did not finish; the journal keeps what is not booked")
                process.kill()
        self._keeper.join()

    def _keep(self) -> None:
        pause = _AGAIN_SECONDS[0]
        while not self._is_ending.is_set():
            begun = time.monotonic()
            status = self._run()
            if self._is_ending.is_set():
                return
            lived = time.monotonic() - begun
            pause = _AGAIN_SECONDS[0] if lived > _AGAIN_SECONDS[1] else min(2 * pause, _AGAIN_SECONDS[1])
            log.warning("the bookkeeper died: starting another", status=status)
            self._is_ending.wait(pause)

    def _run(self) -> int:
        """Run one to its end; its status."""
        command = [sys.executable, "-P", "-m", "llmgw.books", self._options.to_json()]
        process = subprocess.Popen(  # noqa: S603 - our own interpreter, no shell
            command, stdin=subprocess.PIPE, env=self._environment
        )
        self._process = process
        if self._is_ending.is_set():  # `_stop` may have come too early to see it
            _say(process, DONE)
        status = process.wait()
        _say(process, b"")
        return status


def _say(process: subprocess.Popen[bytes], word: bytes) -> None:
    """Write to its standard input, and close that."""
    pipe = process.stdin
    if pipe is None or pipe.closed:
        return
    with contextlib.suppress(OSError):
        pipe.write(word)
    with contextlib.suppress(OSError):
        pipe.close()
