"""Renders a run as Markdown: one table per scenario, and the sentence that tells its method."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from llmgw.bench.compare import ratios
from llmgw.bench.measure import Sample
from llmgw.bench.noise import estimate
from llmgw.bench.results import Outcome, Results

BEGIN = "<!-- bench: begin -->"
END = "<!-- bench: end -->"

Figure = Callable[[Sample], float | None]
Column = tuple[str, Callable[[Outcome, str], str]]

_NONE = "–"


def render(results: Results) -> str:
    """The whole run."""
    parts = [_machine(results), *map(_outcome, results.outcomes), _memory(results)]
    return "\n\n".join(parts)


def write_into(path: Path, text: str) -> None:
    """Put the text between the file's two marks.

    Raises:
        ValueError: the file lacks them.
    """
    page = path.read_text("utf-8")
    between = re.compile(f"{re.escape(BEGIN)}.*{re.escape(END)}", re.DOTALL)
    if not between.search(page):
        raise ValueError(f"{path} has no lines {BEGIN} and {END}")
    path.write_text(between.sub(lambda _: f"{BEGIN}\n\n{text}\n\n{END}", page), "utf-8")


def _machine(results: Results) -> str:
    machine, method = results.machine, results.method
    kind = "virtual machine" if machine.hypervisor else "machine"
    lines = [
        f"{machine.date}, commit `{machine.commit}`"
        + (", **debug build: the figures mean nothing**" if machine.debug_build else ""),
        f"{kind} with {machine.cores} cores ({machine.processor}), "
        f"{machine.memory_bytes / 2**30:.0f} GiB, {machine.kernel}",
        f"llmgw {machine.llmgw}, Python {machine.python}, Granian {machine.granian}, "
        + (machine.nginx or "no nginx"),
        f"{method.rounds} rounds of {method.seconds:g} s after {method.warm_up:g} s of warm-up; "
        + ("server on one core, load and upstream on another" if results.pinned else "not pinned"),
        f"load average of the machine before the run: {machine.load:.1f}",
    ]
    return "\n".join(f"- {line}" for line in lines)


def _outcome(outcome: Outcome) -> str:
    columns = _COLUMNS[outcome.scenario.shows]
    rows = [["", *(title for title, _ in columns)], ["---", *("--:" for _ in columns)]]
    rows += [
        [subject, *(show(outcome, subject) for _, show in columns)] for subject in outcome.scenario.subjects
    ]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    rate = f" ({outcome.rate:,.0f} requests a second)" if outcome.rate else ""
    failure = f"\n\n**Ended early:** {outcome.failure}" if outcome.failure else ""
    return f"**{outcome.scenario.title}**{rate}\n\n{table}{failure}"


def _memory(results: Results) -> str:
    rows = [["Resident memory, MiB", "idle", "after the run"], ["---", "--:", "--:"]]
    rows += [
        [subject, f"{memory.idle / 2**20:.0f}", f"{memory.after / 2**20:.0f}"]
        for subject, memory in results.memory.items()
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _median(figure: Figure, scale: float, digits: int) -> Callable[[Outcome, str], str]:
    """The median of the rounds and, behind it, their median absolute deviation."""

    def show(outcome: Outcome, subject: str) -> str:
        return _cell(outcome.values(subject, figure), scale, digits)

    return show


def _added(figure: Figure, scale: float, digits: int) -> Callable[[Outcome, str], str]:
    """What a subject adds to going directly to the upstream, round by round."""

    def show(outcome: Outcome, subject: str) -> str:
        if subject == "direct":
            return _NONE
        added = outcome.pairs(subject, "direct", figure, lambda mine, its: mine - its)
        return _cell(added, scale, digits)

    return show


def _ratio(outcome: Outcome, subject: str) -> str:
    """Throughput per core in percent of nginx's, with the 95 % interval of the median."""
    if subject == outcome.scenario.yardstick:
        return "100 %"
    values = ratios(outcome).get(subject)
    if not values:
        return _NONE
    found = estimate(values)
    return f"{100 * found.median:.0f} % ({100 * found.low:.0f}–{100 * found.high:.0f})"


def _cell(values: list[float], scale: float, digits: int) -> str:
    if not values:
        return _NONE
    found = estimate([value * scale for value in values])
    return f"{found.median:,.{digits}f} ± {found.spread:,.{digits}f}"


def _per_core(sample: Sample) -> float | None:
    cost = sample.cpu_per_request()
    return None if not cost else 1 / cost


def _busy(sample: Sample) -> float | None:
    return None if sample.cpu_seconds is None else sample.cpu_seconds / sample.seconds


def _per_stream(sample: Sample) -> float | None:
    if sample.cpu_seconds is None:
        return None
    return (sample.peak_bytes - sample.idle_bytes) / sample.requests


_COLUMNS: dict[str, list[Column]] = {
    "throughput": [
        ("CPU µs per request", _median(Sample.cpu_per_request, 1e6, 1)),
        ("requests/s per core", _median(_per_core, 1, 0)),
        ("of nginx", _ratio),
        ("requests/s seen", _median(Sample.per_second, 1, 0)),
        ("core busy, %", _median(_busy, 100, 0)),
        ("p99, ms", _median(lambda sample: sample.latency_p99, 1e3, 2)),
    ],
    "latency": [
        ("p50, µs", _median(lambda sample: sample.latency_p50, 1e6, 0)),
        ("p99, µs", _median(lambda sample: sample.latency_p99, 1e6, 0)),
        ("added p50, µs", _added(lambda sample: sample.latency_p50, 1e6, 0)),
        ("added p99, µs", _added(lambda sample: sample.latency_p99, 1e6, 0)),
        ("CPU µs per request", _median(Sample.cpu_per_request, 1e6, 1)),
    ],
    "stream": [
        ("CPU µs per event", _median(Sample.cpu_per_event, 1e6, 1)),
        ("of nginx", _ratio),
        ("first byte p50, µs", _median(lambda sample: sample.first_byte_p50, 1e6, 0)),
        ("added p50, µs", _added(lambda sample: sample.first_byte_p50, 1e6, 0)),
        ("added p99, µs", _added(lambda sample: sample.first_byte_p99, 1e6, 0)),
    ],
    "crowd": [
        ("streams whole", _median(lambda sample: sample.requests, 1, 0)),
        ("longest gap, ms", _median(lambda sample: sample.longest_gap, 1e3, 0)),
        ("CPU µs per event", _median(Sample.cpu_per_event, 1e6, 1)),
        ("of nginx", _ratio),
        ("memory per stream, KB", _median(_per_stream, 1e-3, 1)),
    ],
}
