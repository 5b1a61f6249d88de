"""`llmgw check`: can this configuration be served?"""

import sys

import msgspec

from llmgw.cli import FAILED, OK
from llmgw.cli.output import counted, print_json
from llmgw.cli.situation import Situation
from llmgw.settings.problems import Problem, SettingsError


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of a configuration."""

    ok: bool
    file: str | None
    groups: int = 0
    deployments: int = 0
    keys: int = 0
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


def check(situation: Situation, *, as_json: bool) -> int:
    """Print the verdict; the exit code that goes with it."""
    verdict = judge(situation)
    if as_json:
        print_json(verdict)
    else:
        _print(verdict)
    return OK if verdict.ok else FAILED


def judge(situation: Situation) -> Verdict:
    """Load and compile, touching nothing."""
    file = None if situation.config is None else str(situation.config)
    warnings: list[Problem] = []
    try:
        loaded = situation.load()
        warnings = loaded.report.warnings
        snapshot = situation.compile(loaded, situation.state())
    except SettingsError as error:
        return Verdict(ok=False, file=file, problems=error.problems, warnings=tuple(warnings))
    return Verdict(
        ok=True,
        file=file,
        groups=len(snapshot.groups),
        deployments=len(snapshot.deployments),
        keys=len(snapshot.auth.keys),
        warnings=tuple(warnings),
    )


def _print(verdict: Verdict) -> None:
    for problem in verdict.warnings:
        print(f"warning: {problem}", file=sys.stderr)
    for problem in verdict.problems:
        print(f"error: {problem}", file=sys.stderr)
    name = verdict.file or "the defaults"
    if not verdict.ok:
        print(f"{name} cannot be used: {counted(len(verdict.problems), 'problem')}")
        return
    parts = [
        counted(verdict.groups, "model group"),
        counted(verdict.deployments, "deployment"),
        counted(verdict.keys, "key"),
        counted(len(verdict.warnings), "warning"),
    ]
    print(f"{name} can be used: {', '.join(parts)}")
