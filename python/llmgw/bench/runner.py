"""Runs scenarios: rounds in which the subjects follow each other, in alternating order."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from llmgw.bench import machine, nginx
from llmgw.bench.measure import MeasureError, Sample, take_sample
from llmgw.bench.processes import pinned, resident_bytes
from llmgw.bench.results import Memory, Outcome, Results, Round
from llmgw.bench.scenarios import Method, Plan, Scenario
from llmgw.bench.stage import Stage, set_up

Tell = Callable[[str], None]
_QUIET = 0.5
"""The load average up to which a machine counts as idle."""


def run(
    plan: Plan,
    scenarios: Sequence[Scenario],
    method: Method,
    tell: Tell,
    leave_out: Sequence[str] = (),
) -> Results:
    """Measure the scenarios, without the subjects left out; `tell` hears of the progress.

    Raises:
        ServerError: a server does not come up, or ends.
    """
    program = nginx.find()
    if program is None:
        tell("nginx is not installed (apt-get install nginx-light): no ratios, the gateway alone")
        leave_out = [*leave_out, "nginx-proxy", "nginx-stream", "nginx-static"]
    facts = machine.describe(nginx.version(program) if program else "")
    if facts.load > _QUIET:
        tell(f"the machine is busy with something else (load {facts.load:.1f}): expect noise")
    server_core, client_core = machine.server_and_client_cores()
    if server_core is None:
        tell("there is but one core: nothing is pinned, and the figures say little")
    wanted = {name for scenario in scenarios for name in scenario.subjects} - set(leave_out)
    outcomes = []
    # The mock upstream's thread starts in here too, and stays on the client's core.
    with pinned(client_core), set_up(plan, wanted, server_core) as stage:
        for listed in scenarios:
            present = tuple(name for name in listed.subjects if name in wanted)
            if present:
                tell(listed.title)
                scenario = msgspec.structs.replace(listed, subjects=present)
                outcomes.append(_run_scenario(stage, scenario, method, tell))
        memory = _memory(stage)
    return Results(facts, method, server_core is not None, memory, outcomes)


def _memory(stage: Stage) -> dict[str, Memory]:
    """By subject; of subjects with the same processes, as nginx's, the first stands for all."""
    first = {subject.processes: subject for subject in reversed(stage.subjects.values())}
    return {
        subject.name: Memory(subject.idle_bytes, resident_bytes(subject.processes))
        for subject in reversed(first.values())
        if subject.processes
    }


def _run_scenario(stage: Stage, scenario: Scenario, method: Method, tell: Tell) -> Outcome:
    rounds: list[Round] = []
    rate = scenario.rate
    try:
        if scenario.load is not None:
            rate = scenario.load * _least_capacity(stage, scenario, method)
        for number in range(scenario.rounds or method.rounds):
            order = scenario.subjects if number % 2 == 0 else scenario.subjects[::-1]
            samples = {name: _sample(stage, scenario, name, method, rate) for name in order}
            rounds.append(Round(samples))
    except (MeasureError, OSError) as error:
        tell(f"  failed: {error}")
        stage.check()
        return Outcome(scenario, rounds, rate, str(error))
    return Outcome(scenario, rounds, rate)


def _least_capacity(stage: Stage, scenario: Scenario, method: Method) -> float:
    """Requests per second that the slowest subject answers when given all it can take."""
    return min(_sample(stage, scenario, name, method, None).per_second() for name in scenario.subjects)


def _sample(stage: Stage, scenario: Scenario, name: str, method: Method, rate: float | None) -> Sample:
    subject = stage.subjects[name]
    request = stage.request(scenario, subject)
    return take_sample(subject, scenario, request, method, stage.upstream, rate)
