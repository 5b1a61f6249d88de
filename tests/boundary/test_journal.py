"""The journal as Python calls it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from llmgw._native import (
    Journal,
    JournalFollower,
    JournalFull,
    JournalReader,
    remove_journal,
    repair_journal,
)

KILLED = """
import os, signal, sys
from llmgw._native import Journal

journal = Journal(sys.argv[1], gather=60.0)
journal.append(b"taken")
print(journal.writer, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "journal"


def only_segment(folder: Path) -> Path:
    (segment,) = folder.glob("*.log")
    return segment


def put(journal: Journal, payload: bytes) -> int:
    """Append, as soon as there is room."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return journal.append(payload)
        except JournalFull:
            assert time.monotonic() < deadline
            time.sleep(0.001)


def test_what_is_appended_is_read_back(folder: Path) -> None:
    journal = Journal(folder)
    assert [journal.append(payload) for payload in (b"one", b"", b"three")] == [0, 1, 2]
    journal.close()
    reader = JournalReader(folder)
    name = journal.writer
    assert list(reader) == [(name, 0, b"one"), (name, 1, b""), (name, 2, b"three")]
    assert reader.findings == []


def test_a_record_can_be_waited_for(folder: Path) -> None:
    journal = Journal(folder)
    assert journal.durable() == 0
    assert journal.wait(journal.append(b"one"), 60.0)
    assert journal.durable() == 1
    assert list(JournalReader(folder)) == [(journal.writer, 0, b"one")]
    assert not journal.wait(1, 0.001)


def test_a_healthy_journal_says_so(folder: Path) -> None:
    journal = Journal(folder)
    journal.wait(journal.append(b"one"))
    health = journal.health()
    assert (health.taken, health.durable, health.waiting_bytes) == (1, 1, 0)
    assert health.is_open
    assert health.trouble is None


def test_a_closed_journal_takes_nothing(folder: Path) -> None:
    journal = Journal(folder)
    journal.close()
    with pytest.raises(RuntimeError, match="closed"):
        journal.append(b"late")
    with pytest.raises(RuntimeError, match="ended"):
        journal.wait(0)
    assert not journal.health().is_open


def test_a_record_that_is_too_large_is_refused(folder: Path) -> None:
    with pytest.raises(ValueError, match="too large"):
        Journal(folder).append(bytes(65537))


def test_what_has_no_room_is_refused(folder: Path) -> None:
    journal = Journal(folder, max_waiting_bytes=100, gather=60.0)
    journal.append(bytes(60))
    with pytest.raises(JournalFull):
        journal.append(bytes(60))
    journal.close()
    assert len(list(JournalReader(folder))) == 1


@pytest.mark.parametrize("seconds", [-1.0, float("nan")])
def test_a_time_that_is_none_is_refused(folder: Path, seconds: float) -> None:
    with pytest.raises(ValueError, match="no time"):
        Journal(folder, gather=seconds)
    with pytest.raises(ValueError, match="no time"):
        Journal(folder).wait(0, seconds)


def test_a_folder_that_cannot_be_made_is_an_error(folder: Path) -> None:
    folder.write_bytes(b"in the way")
    with pytest.raises(OSError, match=r"exists|directory"):
        Journal(folder)


def test_a_forked_process_is_refused(folder: Path) -> None:
    journal = Journal(folder)
    child = os.fork()
    if child == 0:
        try:
            journal.append(b"child")
        except RuntimeError:
            os._exit(0)
        os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    journal.append(b"parent")
    journal.close()
    assert [payload for _, _, payload in JournalReader(folder)] == [b"parent"]


def test_reading_goes_on_where_it_stopped(folder: Path) -> None:
    journal = Journal(folder)
    journal.wait(max(journal.append(payload) for payload in (b"one", b"two", b"three")))
    assert [payload for _, _, payload in JournalReader(folder, {journal.writer: 2})] == [b"three"]
    with pytest.raises(ValueError, match="no name of a writer"):
        JournalReader(folder, {"somebody": 2})


def test_what_a_killed_process_left_is_read_and_repaired(folder: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, folder], capture_output=True, text=True, check=False)
    name = done.stdout.strip()
    segment = only_segment(folder)
    length = len(segment.read_bytes().rstrip(b"\0"))
    assert list(JournalReader(folder)) == [(name, 0, b"taken")]
    with segment.open("r+b") as file:
        file.truncate(length)
        file.seek(length)
        file.write(b"half a frame")
    reader = JournalReader(folder)
    assert list(reader) == [(name, 0, b"taken")]
    assert [finding[:3] for finding in reader.findings] == [("torn", segment, length)]
    aside = segment.with_name(f"{segment.name}.torn-{length}")
    assert repair_journal(folder) == [(segment, length, 12, aside)]
    assert aside.read_bytes() == b"half a frame"
    assert repair_journal(folder) == []


def test_damage_is_told_and_not_repaired(folder: Path) -> None:
    journal = Journal(folder)
    for payload in (b"one", b"two"):
        journal.wait(journal.append(payload))
    journal.close()
    segment = only_segment(folder)
    damaged = bytearray(segment.read_bytes())
    damaged[72] ^= 1
    segment.write_bytes(damaged)
    reader = JournalReader(folder)
    assert list(reader) == []
    why = "record 0: its checksum is wrong; record 1 of a later group follows"
    assert reader.findings == [("corrupt", segment, 52, why)]
    assert repair_journal(folder) == []


def test_segments_that_were_read_are_removed(folder: Path) -> None:
    journal = Journal(folder, segment_bytes=1)
    for _ in range(6):
        put(journal, bytes(60_000))
    journal.close()
    assert remove_journal(folder, journal.writer, 3) == 1
    assert [sequence for _, sequence, _ in JournalReader(folder)] == list(range(2, 6))
    with pytest.raises(ValueError, match="no name of a writer"):
        remove_journal(folder, "../..", 4)


def test_a_follower_reads_each_record_once(folder: Path) -> None:
    journal = Journal(folder)
    follower = JournalFollower(folder)
    for payload in (b"one", b"two"):
        journal.wait(journal.append(payload))
        sequence = journal.durable() - 1
        assert follower.read(10) == ([(journal.writer, sequence, payload)], [], False, None)
    assert follower.read(10) == ([], [], False, None)
    assert follower.ended == []
    journal.close()
    follower.read(10)
    assert follower.ended == [journal.writer]


def test_a_follower_begins_at_its_positions(folder: Path) -> None:
    journal = Journal(folder)
    journal.wait(max(journal.append(payload) for payload in (b"one", b"two", b"three")))
    records, _, is_full, _ = JournalFollower(folder, {journal.writer: 1}).read(1)
    assert (records, is_full) == ([(journal.writer, 1, b"two")], True)
    with pytest.raises(ValueError, match="no name of a writer"):
        JournalFollower(folder, {"somebody": 2})


def test_what_was_written_lately_stays(folder: Path) -> None:
    journal = Journal(folder)
    journal.wait(journal.append(b"one"))
    journal.close()
    assert remove_journal(folder, journal.writer, 1, 3600.0) == 0
    assert remove_journal(folder, journal.writer, 1) > 0
