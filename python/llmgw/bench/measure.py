"""One measurement: a subject under a scenario's load, for one slice of time."""

from __future__ import annotations

import msgspec

from llmgw._native import LoadReport, MockUpstream, run_load
from llmgw.bench.processes import PeakMemory, cpu_seconds
from llmgw.bench.requests import Request
from llmgw.bench.scenarios import Method, Scenario
from llmgw.bench.stage import Subject

_TIMEOUT = 60.0


class MeasureError(Exception):
    """What came back was not what the scenario is about, so its figures would mean nothing."""


class Sample(msgspec.Struct, frozen=True):
    """The figures of one slice; `None` where a subject or scenario has no such figure."""

    seconds: float
    requests: int
    events: int
    cpu_seconds: float | None
    latency_p50: float | None
    latency_p99: float | None
    first_byte_p50: float | None
    first_byte_p99: float | None
    longest_gap: float | None
    """Between two reads of one stream, in seconds, as all times here."""
    idle_bytes: int
    """Resident memory of the server before its first request."""
    peak_bytes: int
    """The most of it while this load ran."""

    def per_second(self) -> float:
        """Requests answered per second."""
        return self.requests / self.seconds

    def cpu_per_request(self) -> float | None:
        """CPU seconds of the server per request."""
        return _ratio(self.cpu_seconds, self.requests)

    def cpu_per_event(self) -> float | None:
        """CPU seconds of the server per relayed event."""
        return _ratio(self.cpu_seconds, self.events)


def take_sample(
    subject: Subject,
    scenario: Scenario,
    request: Request,
    method: Method,
    upstream: MockUpstream,
    rate: float | None = None,
) -> Sample:
    """Load a subject and meter it; with `rate`, in an open loop.

    Raises:
        MeasureError: there were errors or cut streams, or the cache answered when it should not.
    """
    asked_before = upstream.requests
    counted = scenario.requests is not None
    with PeakMemory(subject.processes) as peak:
        report = run_load(
            "127.0.0.1",
            subject.port,
            request.data,
            connections=scenario.connections,
            seconds=None if counted else method.seconds,
            requests=scenario.requests,
            warm_up=0.0 if counted else method.warm_up,
            rate=rate,
            stamp=request.stamp,
            timeout=_TIMEOUT,
            meter=lambda: cpu_seconds(subject.processes),
        )
    _check(report, subject, scenario, upstream.requests - asked_before)
    return Sample(
        seconds=report.seconds,
        requests=report.requests,
        events=report.events,
        cpu_seconds=report.metered if subject.processes else None,
        latency_p50=report.latency.percentile(50),
        latency_p99=report.latency.percentile(99),
        first_byte_p50=report.first_byte.percentile(50),
        first_byte_p99=report.first_byte.percentile(99),
        longest_gap=report.gap.max,
        idle_bytes=subject.idle_bytes,
        peak_bytes=peak.bytes,
    )


def _check(report: LoadReport, subject: Subject, scenario: Scenario, asked: int) -> None:
    where = f"{scenario.name}, {subject.name}"
    if report.errors or set(report.statuses) != {200}:
        raise MeasureError(f"{where}: statuses {report.statuses}, errors {report.errors}")
    if scenario.streamed and report.events == 0:
        raise MeasureError(f"{where}: the streams held no events")
    if scenario.repeat and asked > scenario.connections:
        raise MeasureError(f"{where}: {asked} requests passed the cache")
    if not scenario.repeat and asked < report.requests:
        raise MeasureError(f"{where}: only {asked} of {report.requests} requests went upstream")


def _ratio(amount: float | None, count: int) -> float | None:
    return None if amount is None or count == 0 else amount / count
