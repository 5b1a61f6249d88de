"""Holds a run against an older one: has the gateway become slower relative to nginx?

The figure compared is a subject's median ratio to nginx (`ratios`). Each run's noise is the
standard error of that median, estimated from the spread of its own rounds; a ratio has regressed
when it fell by more than three times the two errors combined, and by more than 3 % besides.
"""

from __future__ import annotations

import msgspec

from llmgw.bench.measure import Sample
from llmgw.bench.noise import Estimate, estimate
from llmgw.bench.results import Outcome, Results

_ERRORS = 3.0
_LEAST_CHANGE = 0.03
"""Share of the old ratio below which a change is never called a regression."""


class Change(msgspec.Struct, frozen=True):
    """A ratio then and now."""

    scenario: str
    subject: str
    old: Estimate
    new: Estimate

    @property
    def noise(self) -> float:
        """How far the ratio may fall by chance."""
        combined = (self.old.standard_error**2 + self.new.standard_error**2) ** 0.5
        return float(max(_ERRORS * combined, _LEAST_CHANGE * self.old.median))

    @property
    def regressed(self) -> bool:
        """Whether the ratio fell by more than that."""
        return self.old.median - self.new.median > self.noise

    def __str__(self) -> str:
        verdict = "REGRESSED" if self.regressed else "ok"
        change = f"{self.old.median:.3f} → {self.new.median:.3f} (noise {self.noise:.3f})"
        return f"{verdict:9} {self.scenario} {self.subject}: {change}"


def ratios(outcome: Outcome) -> dict[str, list[float]]:
    """Throughput per core relative to nginx's, by subject and round: 1 is as good, more is better.

    It is nginx's CPU time per request (per event of a stream) over the subject's, both of the same
    round. Scenarios about latency have none.
    """
    yardstick = outcome.scenario.yardstick
    if yardstick is None or outcome.scenario.shows == "latency":
        return {}
    cost = Sample.cpu_per_event if outcome.scenario.streamed else Sample.cpu_per_request
    found = {
        subject: outcome.pairs(subject, yardstick, cost, lambda mine, its: its / mine)
        for subject in outcome.scenario.subjects
        if subject not in (yardstick, "direct")
    }
    return {subject: values for subject, values in found.items() if values}


def compare(old: Results, new: Results) -> list[Change]:
    """Every ratio that both runs have."""
    before = {outcome.scenario.name: ratios(outcome) for outcome in old.outcomes}
    changes = []
    for outcome in new.outcomes:
        name = outcome.scenario.name
        for subject, values in ratios(outcome).items():
            if earlier := before.get(name, {}).get(subject):
                changes.append(Change(name, subject, estimate(earlier), estimate(values)))
    return changes
