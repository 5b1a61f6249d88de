"""Checks of the settings, the references in them, the state folder and the admin key."""

import stat
from collections.abc import Iterator

from llmgw.cli.health.finding import Finding, failure, ok, warning
from llmgw.cli.output import counted
from llmgw.cli.situation import Situation
from llmgw.errors import LlmgwError
from llmgw.gateway.snapshot import Snapshot
from llmgw.settings.load import Loaded, references
from llmgw.settings.problems import Problem, Report, SettingsError, dotted
from llmgw.settings.secrets import UnresolvedReferenceError
from llmgw.state import StateFolder
from llmgw.wiring.keys import is_master_key_given, master_key

_OTHERS = stat.S_IRWXO
_GROUP = stat.S_IRWXG


def check_settings(situation: Situation, loaded: Loaded | SettingsError) -> Iterator[Finding]:
    """The settings parse; what they hold that is not acted on."""
    name = "the defaults" if situation.config is None else str(situation.config)
    if isinstance(loaded, SettingsError):
        yield from _told("settings", loaded.problems)
        return
    count = len(loaded.report.warnings)
    if count:
        yield warning("settings", f"{name}: {counted(count, 'warning')}", "llmgw check lists them")
    else:
        yield ok("settings", name)


def check_references(loaded: Loaded) -> Iterator[Finding]:
    """Every secret that the settings refer to is there."""
    overridden = loaded.environment.own("MASTER_KEY") is not None
    found = [
        (path, reference)
        for path, reference in references(loaded.settings)
        if not (overridden and path[0] == "general_settings")
    ]
    sound = True
    for path, reference in found:
        try:
            reference.resolve(loaded.environment)
        except UnresolvedReferenceError as error:
            sound = False
            yield failure("references", f"{dotted(path)}: {error}")
    if sound:
        yield ok("references", f"{counted(len(found), 'secret')} in place")


def check_compiled(snapshot: Snapshot | SettingsError) -> Iterator[Finding]:
    """The settings resolve to something that can be served."""
    if isinstance(snapshot, SettingsError):
        yield from _told("models", snapshot.problems)
    elif not snapshot.deployments:
        yield failure("models", "no deployment can be served", "llmgw check says why")
    else:
        groups = counted(len(snapshot.groups), "model group")
        yield ok("models", f"{groups}, {counted(len(snapshot.deployments), 'deployment')}")


def check_state(folder: StateFolder) -> Iterator[Finding]:
    """The state folder is there, sound, and for its owner alone."""
    if not folder.path.exists():
        yield ok("state", f"{folder.path} is made at the first start")
        return
    try:
        mode = folder.path.stat().st_mode
        if folder.pepper_file.exists():
            folder.read()
    except (LlmgwError, OSError) as error:
        yield failure("state", str(error))
        return
    if mode & _OTHERS:
        yield warning("state", f"others may enter {folder.path}", f"chmod 700 {folder.path}")
        return
    for file in (folder.master_key_file, folder.pepper_file, folder.keys_file):
        if file.exists() and file.stat().st_mode & _GROUP:
            yield warning("state", f"its group may read {file}", f"chmod 600 {file}")
            return
    yield ok("state", str(folder.path))


def check_master_key(situation: Situation, loaded: Loaded) -> Finding:
    """There is an admin key, and it cannot be guessed."""
    report = Report()
    try:
        state = situation.state()
    except LlmgwError as error:
        return failure("admin key", str(error))
    key = master_key(loaded.settings, loaded.environment, state, report)
    if key is None:
        return failure("admin key", str(report.problems[0]))
    if is_master_key_given(loaded.settings, loaded.environment):
        return ok("admin key", "given, and strong")
    if situation.folder.master_key_file.exists():
        return ok("admin key", str(situation.folder.master_key_file))
    return ok("admin key", "generated at the first start")


def _told(check: str, problems: tuple[Problem, ...]) -> Iterator[Finding]:
    for problem in problems:
        yield failure(check, str(problem))
