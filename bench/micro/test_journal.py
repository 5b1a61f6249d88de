"""The journal: records of 200 bytes that survive a kill at once, and the machine when it has told so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from llmgw._native import Journal, JournalReader

RECORD = bytes(range(200))
RECORDS = 20_000


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "journal")
    yield journal
    journal.close()


def test_append(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    """What a request pays: the disk is left to the thread. Each round has a journal of its own."""

    def fresh() -> tuple[tuple[Journal], dict[str, object]]:
        return (Journal(tmp_path / "journal"),), {}

    def use(journal: Journal) -> None:
        for _ in range(RECORDS):
            journal.append(RECORD)

    benchmark.pedantic(use, setup=fresh, rounds=20)  # type: ignore[no-untyped-call]  # its author left it so


def test_append_until_it_is_on_the_disk(benchmark: BenchmarkFixture, journal: Journal) -> None:
    def use() -> None:
        for _ in range(RECORDS):
            last = journal.append(RECORD)
        journal.wait(last)

    benchmark(use)


def test_read(benchmark: BenchmarkFixture, journal: Journal, tmp_path: Path) -> None:
    for _ in range(RECORDS):
        journal.append(RECORD)
    journal.close()

    def use() -> int:
        return sum(1 for _ in JournalReader(tmp_path / "journal"))

    assert benchmark(use) == RECORDS
