"""What a run leaves behind: every sample of every round, as JSON."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from llmgw.bench.machine import Machine
from llmgw.bench.measure import Sample
from llmgw.bench.scenarios import Method, Scenario


class Round(msgspec.Struct, frozen=True):
    """One pass over a scenario's subjects, in the order they were measured."""

    samples: dict[str, Sample]


class Outcome(msgspec.Struct, frozen=True):
    """A scenario's rounds, and why they ended early, if they did."""

    scenario: Scenario
    rounds: list[Round]
    rate: float | None = None
    """Arrivals per second of an open loop."""
    failure: str | None = None

    def values(self, subject: str, figure: Callable[[Sample], float | None]) -> list[float]:
        """A figure of a subject, round by round."""
        samples = (taken.samples.get(subject) for taken in self.rounds)
        figures = (figure(sample) for sample in samples if sample is not None)
        return [value for value in figures if value is not None]

    def pairs(
        self,
        subject: str,
        other: str,
        figure: Callable[[Sample], float | None],
        combine: Callable[[float, float], float],
    ) -> list[float]:
        """`combine(subject, other)` of a figure within each round: neighbours in time."""
        combined = []
        for taken in self.rounds:
            if subject in taken.samples and other in taken.samples:
                mine, its = figure(taken.samples[subject]), figure(taken.samples[other])
                if mine is not None and its is not None:
                    combined.append(combine(mine, its))
        return combined


class Memory(msgspec.Struct, frozen=True):
    """Resident memory of a subject's processes, in bytes."""

    idle: int
    after: int


class Results(msgspec.Struct, frozen=True):
    """A whole run."""

    machine: Machine
    method: Method
    pinned: bool
    memory: dict[str, Memory]
    outcomes: list[Outcome]

    @property
    def failures(self) -> list[str]:
        """Why scenarios ended early."""
        return [outcome.failure for outcome in self.outcomes if outcome.failure]


def write(results: Results, folder: Path) -> Path:
    """Write the run as a file named by its date; returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    stamp = results.machine.date.replace(":", "").replace("+0000", "Z")
    path = folder / f"{stamp}.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=1))
    return path


def read(path: Path) -> Results:
    """A run written before.

    Raises:
        msgspec.ValidationError: the file holds something else.
    """
    return msgspec.json.decode(path.read_bytes(), type=Results)
