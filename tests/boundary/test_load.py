"""The load generator as Python calls it."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from llmgw._native import LOAD_STAMP_DIGITS, MockUpstream, run_load

BODY = b'{"model":"echo","messages":[{"role":"user","content":"hello"}]}'
REQUEST = b"POST /v1/chat/completions HTTP/1.1\r\ncontent-length: %d\r\n\r\n%s" % (len(BODY), BODY)


@pytest.fixture
def mock() -> Iterator[MockUpstream]:
    mock = MockUpstream()
    yield mock
    mock.stop()


def test_a_report_counts_what_the_server_served(mock: MockUpstream) -> None:
    report = run_load("127.0.0.1", mock.port, REQUEST, connections=4, requests=200)
    assert report.requests == mock.requests == report.latency.count == 200
    assert report.statuses == {200: 200}
    assert report.errors == {}


def test_times_are_ordered_and_absent_when_nothing_was_noted(mock: MockUpstream) -> None:
    report = run_load("127.0.0.1", mock.port, REQUEST, requests=50)
    shortest, median, longest = (
        report.latency.min,
        report.latency.percentile(50),
        report.latency.max,
    )
    assert shortest
    assert median
    assert longest
    assert 0 < shortest <= median <= longest
    assert report.gap.count == 0
    assert report.gap.mean is None
    assert report.gap.percentile(99) is None


def test_the_meter_is_read_twice_and_its_growth_reported(mock: MockUpstream) -> None:
    readings = iter([10.0, 12.5])
    report = run_load(
        "127.0.0.1", mock.port, REQUEST, seconds=0.05, warm_up=0.02, meter=lambda: next(readings)
    )
    assert report.metered == 2.5
    assert next(readings, None) is None


def test_what_the_meter_raises_reaches_the_caller(mock: MockUpstream) -> None:
    def broken() -> float:
        raise LookupError("no such process")

    with pytest.raises(LookupError, match="no such process"):
        run_load("127.0.0.1", mock.port, REQUEST, requests=1, meter=broken)


def test_an_open_loop_keeps_to_its_rate(mock: MockUpstream) -> None:
    report = run_load("127.0.0.1", mock.port, REQUEST, connections=8, rate=1000, requests=100)
    # The last of a hundred requests is due 99 ms after the first.
    assert report.seconds >= 0.099


def test_a_stamp_must_fit_into_the_request(mock: MockUpstream) -> None:
    with pytest.raises(ValueError, match="stamp"):
        run_load("127.0.0.1", mock.port, REQUEST, requests=1, stamp=len(REQUEST) - LOAD_STAMP_DIGITS + 1)


@pytest.mark.parametrize(("seconds", "requests"), [(None, None), (1.0, 1)])
def test_a_load_has_exactly_one_length(
    mock: MockUpstream, seconds: float | None, requests: int | None
) -> None:
    with pytest.raises(ValueError, match="either seconds or requests"):
        run_load("127.0.0.1", mock.port, REQUEST, seconds=seconds, requests=requests)


def test_a_server_that_is_not_there_is_an_os_error() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(ConnectionRefusedError):
            run_load("127.0.0.1", free.getsockname()[1], REQUEST, requests=1)
