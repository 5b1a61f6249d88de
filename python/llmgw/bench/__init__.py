"""`llmgw bench`: what a request costs in the gateway, next to what it costs in nginx.

Method and figures are in `bench/README.md`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from llmgw.bench import report, results
from llmgw.bench.compare import compare
from llmgw.bench.processes import ServerError
from llmgw.bench.results import Results
from llmgw.bench.runner import run
from llmgw.bench.scenarios import SUBJECTS, Plan, choose, load_plan

__all__ = ["main"]


def main(argv: list[str]) -> int:
    """Run the command; returns 0, or 1 when something failed or regressed, or 2 for wrong usage."""
    plan = load_plan()
    options = _parser(plan).parse_args(argv)
    if options.list:
        for scenario in plan.scenario:
            print(f"{scenario.name:18} {scenario.title}")
        return 0
    try:
        outcome = results.read(options.results) if options.results else _measure(plan, options)
    except ServerError as error:
        print(f"llmgw bench: {error}", file=sys.stderr)
        return 1
    print(report.render(outcome))
    if options.render:
        report.write_into(options.render, report.render(outcome))
    regressed = _compare(options.compare, outcome) if options.compare else False
    return 1 if regressed or outcome.failures else 0


def _parser(plan: Plan) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="llmgw bench", description=__doc__)
    parser.add_argument("--list", action="store_true", help="list the scenarios")
    parser.add_argument("--quick", action="store_true", help="about a minute: fewer and shorter")
    names = [scenario.name for scenario in plan.scenario]
    parser.add_argument(
        "--scenario", action="append", default=[], choices=names, metavar="NAME", help="only these"
    )
    parser.add_argument("--leave-out", action="append", default=[], choices=SUBJECTS, metavar="SUBJECT")
    parser.add_argument("--out", type=Path, default=Path("bench/out"), help="folder of the results")
    parser.add_argument("--results", type=Path, metavar="FILE", help="take these results, measure nothing")
    parser.add_argument(
        "--render",
        type=Path,
        nargs="?",
        const=Path("bench/README.md"),
        metavar="PAGE",
        help="write the tables between the marks of this page",
    )
    parser.add_argument(
        "--compare", type=Path, metavar="OLD", help="fail if a ratio fell since these results"
    )
    return parser


def _measure(plan: Plan, options: argparse.Namespace) -> Results:
    method = plan.quick if options.quick else plan.method
    scenarios = choose(plan, options.scenario, options.quick)
    measured = run(plan, scenarios, method, _tell, options.leave_out)
    print(f"written: {results.write(measured, options.out)}", file=sys.stderr)
    return measured


def _compare(old: Path, new: Results) -> bool:
    changes = compare(results.read(old), new)
    for change in changes:
        print(change)
    return any(change.regressed for change in changes)


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
