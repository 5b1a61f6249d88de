"""Made-up runs for the tests of what is computed from them."""

from __future__ import annotations

from collections.abc import Sequence

from llmgw.bench.machine import Machine
from llmgw.bench.measure import Sample
from llmgw.bench.results import Memory, Outcome, Results, Round
from llmgw.bench.scenarios import Method, Scenario, Shows

MACHINE = Machine(
    processor="a processor",
    cores=2,
    memory_bytes=2**30,
    kernel="Linux 6",
    hypervisor=True,
    python="3.11",
    llmgw="0.1",
    granian="2.8",
    nginx="nginx/1",
    commit="c",
    debug_build=False,
    date="2030-01-01T00:00:00+00:00",
    load=0.1,
)


def sample(cpu_micros: float | None, latency: float = 0.001) -> Sample:
    """A thousand requests of two events each, at so many CPU microseconds a request."""
    cpu = None if cpu_micros is None else cpu_micros / 1e6 * 1000
    return Sample(1.0, 1000, 2000, cpu, latency, latency, latency, latency, None, 0, 4_000_000)


def outcome(rounds: Sequence[dict[str, Sample]], shows: Shows = "throughput", name: str = "made") -> Outcome:
    """A scenario whose rounds went like this."""
    scenario = Scenario(
        name=name, title="A title", subjects=tuple(rounds[0]), model="m", connections=1, shows=shows
    )
    return Outcome(scenario, [Round(samples) for samples in rounds])


def costs(nginx: Sequence[float], llmgw: Sequence[float], name: str = "made") -> Outcome:
    """Rounds of nginx and the gateway with these CPU microseconds per request."""
    pairs = zip(nginx, llmgw, strict=True)
    return outcome(
        [{"nginx-proxy": sample(its), "llmgw-plain": sample(ours)} for its, ours in pairs],
        name=name,
    )


def results(*outcomes: Outcome) -> Results:
    """A run of these scenarios."""
    memory = {"llmgw-plain": Memory(10 * 2**20, 20 * 2**20)}
    return Results(MACHINE, Method(3, 1.0, 0.1), True, memory, list(outcomes))
