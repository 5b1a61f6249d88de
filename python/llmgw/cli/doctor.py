"""`llmgw doctor`: what keeps a gateway from running well on this machine."""

from collections.abc import Iterator

from llmgw.cli import OK, UNHEALTHY
from llmgw.cli.health.configuration import (
    check_compiled,
    check_master_key,
    check_references,
    check_settings,
    check_state,
)
from llmgw.cli.health.finding import Finding
from llmgw.cli.health.live import check_upstreams
from llmgw.cli.health.machine import check_machine
from llmgw.cli.output import print_json, print_table
from llmgw.cli.process import with_environment
from llmgw.cli.situation import Situation
from llmgw.gateway.snapshot import Snapshot
from llmgw.settings.load import Loaded
from llmgw.settings.problems import Problem, SettingsError
from llmgw.settings.process import ServeOptions
from llmgw.settings.schema import ServerSettings
from llmgw.state import StateError

_MARKS = {"ok": "✓", "warning": "!", "failure": "✗"}


def doctor(situation: Situation, *, live: bool, as_json: bool) -> int:
    """Run every check and print the findings; the exit code that goes with them."""
    findings = list(examine(situation, live=live))
    if as_json:
        print_json(findings)
    else:
        rows = [(_MARKS[found.level], found.check, _sentence(found)) for found in findings]
        print_table(("", "CHECK", "FINDING"), rows)
    return UNHEALTHY if any(found.level == "failure" for found in findings) else OK


def examine(situation: Situation, *, live: bool) -> Iterator[Finding]:
    """Every check; those that build on another that failed are left out."""
    loaded = _loaded(situation)
    server = loaded.settings.server if isinstance(loaded, Loaded) else ServerSettings()
    yield from check_machine(with_environment(ServeOptions(), situation.environment).over(server))
    yield from check_settings(situation, loaded)
    yield from check_state(situation.folder)
    if not isinstance(loaded, Loaded):
        return
    yield from check_references(loaded)
    yield check_master_key(situation, loaded)
    snapshot = _compiled(situation, loaded)
    yield from check_compiled(snapshot)
    if live and isinstance(snapshot, Snapshot):
        yield from check_upstreams(snapshot)


def _loaded(situation: Situation) -> Loaded | SettingsError:
    try:
        return situation.load()
    except SettingsError as error:
        return error


def _compiled(situation: Situation, loaded: Loaded) -> Snapshot | SettingsError:
    try:
        return situation.compile(loaded, situation.state())
    except SettingsError as error:
        return error
    except StateError as error:
        return SettingsError([Problem(str(error))])


def _sentence(found: Finding) -> str:
    return found.message if found.hint is None else f"{found.message} — {found.hint}"
