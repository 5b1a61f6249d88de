"""What is measured: the table in `scenarios.toml`, decoded and checked."""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path
from typing import Literal

import msgspec

SUBJECTS = (
    "direct",
    "nginx-proxy",
    "nginx-stream",
    "nginx-static",
    "llmgw-plain",
    "llmgw-translated",
    "llmgw-pii",
    "llmgw-cache",
    "llmgw-unledgered",
)
Shows = Literal["throughput", "latency", "stream", "crowd"]


class Method(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long and how often; times in seconds."""

    rounds: int
    seconds: float
    warm_up: float


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One workload, given to several subjects in turn."""

    name: str
    title: str
    subjects: tuple[str, ...]
    model: str
    """Public model name, one of the table `models`."""
    connections: int
    shows: Shows = "throughput"
    """The columns of its table in the report."""
    body_bytes: int = 1000
    """Size of the request's body; a stream's flag and the text make it up."""
    repeat: bool = False
    """The same request again and again; otherwise no two are alike."""
    rate: float | None = None
    """Open loop, at so many requests per second."""
    load: float | None = None
    """Open loop, at this share of what the slowest subject can take."""
    requests: int | None = None
    """That many requests instead of a time."""
    rounds: int | None = None
    """Instead of the method's."""
    quick: bool = False
    """Part of the one-minute run."""

    @property
    def streamed(self) -> bool:
        """Whether the replies are event streams."""
        return self.shows in ("stream", "crowd")

    @property
    def yardstick(self) -> str | None:
        """The subject the others are compared with."""
        return next((name for name in self.subjects if name.startswith("nginx")), None)


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole table."""

    method: Method
    quick: Method
    models: dict[str, str]
    scenario: tuple[Scenario, ...]

    def __post_init__(self) -> None:
        names = [scenario.name for scenario in self.scenario]
        if len(set(names)) < len(names):
            raise ValueError("two scenarios have the same name")
        for scenario in self.scenario:
            if scenario.model not in self.models:
                raise ValueError(f"{scenario.name}: no model {scenario.model}")
            if unknown := set(scenario.subjects) - set(SUBJECTS):
                raise ValueError(f"{scenario.name}: unknown subjects {sorted(unknown)}")

    def upstream_model(self, scenario: Scenario) -> str:
        """What the mock upstream is told for a scenario."""
        return self.models[scenario.model]


def load_plan(path: Path | None = None) -> Plan:
    """The table of a file, or the one in this package.

    Raises:
        msgspec.ValidationError: it has unknown or contradictory entries.
    """
    source = resources.files(__package__) / "scenarios.toml" if path is None else path
    return msgspec.convert(tomllib.loads(source.read_text("utf-8")), Plan)


def choose(plan: Plan, names: list[str], quick: bool) -> tuple[Scenario, ...]:
    """The scenarios of these names; without names all, or those of the one-minute run.

    Raises:
        KeyError: there is no scenario of that name.
    """
    by_name = {scenario.name: scenario for scenario in plan.scenario}
    if names:
        return tuple(by_name[name] for name in names)
    return tuple(scenario for scenario in plan.scenario if scenario.quick or not quick)
