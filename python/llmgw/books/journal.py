"""The journal's records in batches, decoded; what means nothing is put aside and told, not lost."""

import os
from pathlib import Path

import msgspec
import orjson

from llmgw._native import JournalFollower
from llmgw.books.booking import Read
from llmgw.store.records import AnyRecord, BadRecord, decode
from llmgw.telemetry.logs import log

ASIDE = "refused.jsonl"
"""Beside the segments: records that could not be booked, one a line."""

Raw = tuple[str, int, bytes]
Finding = tuple[str, Path, int, str]


class Batch(msgspec.Struct):
    """Records that were read and are not booked yet."""

    raw: list[Raw]
    is_full: bool

    def ends(self) -> dict[str, int]:
        """The sequence behind the last record, of each writer."""
        return {writer: sequence + 1 for writer, sequence, _ in self.raw}

    def halves(self) -> "list[Batch]":
        """The same in two parts, to find the record that cannot be booked."""
        middle = len(self.raw) // 2
        return [Batch(self.raw[:middle], True), Batch(self.raw[middle:], self.is_full)]


class JournalFolder:
    """A folder of journals, followed from given positions on."""

    def __init__(self, folder: Path, positions: dict[str, int]) -> None:
        self.folder = folder
        self.findings: list[Finding] = []
        """What is wrong with the folder, as decision 0016 tells it apart."""
        self.failure: str | None = None
        """Why a segment could not be read when that was tried last."""
        self._follower = JournalFollower(folder, positions)
        self._aside = folder / ASIDE
        self._refused = _lines(self._aside)

    @property
    def refused(self) -> int:
        """Records that were put aside, ever."""
        return self._refused

    def read(self, most: int) -> Batch:
        """What is new, up to `most` records."""
        raw, findings, is_full, self.failure = self._follower.read(most)
        for kind, file, offset, why in findings:
            tell = log.error if kind == "corrupt" else log.warning
            tell("the journal is not whole", kind=kind, file=str(file), offset=offset, reason=why)
        self.findings += findings
        return Batch(raw, is_full)

    def ended(self) -> list[str]:
        """Writers that are dead, and all of whose records were read."""
        return self._follower.ended

    def decoded(self, batch: Batch) -> list[Read]:
        """The records of a batch; those that are none are put aside."""
        reads = []
        for writer, sequence, payload in batch.raw:
            try:
                reads.append((writer, sequence, read_record(payload)))
            except BadRecord as error:
                self.put_aside((writer, sequence, payload), str(error))
        return reads

    def put_aside(self, raw: Raw, reason: str) -> None:
        """Keep a record that cannot be booked where people find it. It may be there twice after a crash."""
        writer, sequence, payload = raw
        log.error("a record of the journal cannot be booked", writer=writer, sequence=sequence, reason=reason)
        line = {"writer": writer, "sequence": sequence, "reason": reason, "payload": _shown(payload)}
        with os.fdopen(os.open(self._aside, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as file:
            file.write(orjson.dumps(line) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self._refused += 1

    def corrupt_writers(self) -> set[str]:
        """Writers whose segments are damaged: they are kept for whoever looks into it."""
        return {file.name.partition("-")[0] for kind, file, _, _ in self.findings if kind == "corrupt"}


def read_record(payload: bytes) -> AnyRecord:
    """The record of a payload. Zero characters, which PostgreSQL does not store, are replaced.

    Raises:
        BadRecord: it is none.
    """
    if b"\\u0000" in payload:
        payload = payload.replace(b"\\u0000", b"\\ufffd")
    return decode(payload)


def _shown(payload: bytes) -> str:
    return payload.decode(errors="backslashreplace")


def _lines(path: Path) -> int:
    try:
        return path.read_bytes().count(b"\n")
    except FileNotFoundError:
        return 0


def writers_in(folder: Path) -> set[str]:
    """The writers that have segments in a folder."""
    return {file.name.partition("-")[0] for file in folder.glob("*-*.log")}
