"""Configurations for tests: text in, settings or a snapshot out."""

from textwrap import dedent

from llmgw.gateway.snapshot import Deployment, Group, Snapshot
from llmgw.settings.environment import Environment
from llmgw.settings.load import Loaded, read_settings
from llmgw.settings.problems import SettingsError
from llmgw.settings.secrets import Secret
from llmgw.state import State
from llmgw.wiring import compile_snapshot

STATE = State(pepper=Secret("ab" * 32), master_key=Secret("a-master-key-0123456789"))


def read(text: str, file: str = "llmgw.yaml", **environment: str) -> Loaded:
    """Settings from text, as if it stood in that file; an empty text stands for the defaults."""
    return read_settings(dedent(text) or "{}", file, Environment(environment))


def compiled(text: str, **environment: str) -> Snapshot:
    """The snapshot of a YAML configuration."""
    return compiled_over(STATE, text, **environment)


def compiled_over(state: State, text: str, **environment: str) -> Snapshot:
    """The same, over a state folder that holds this."""
    loaded = read(text, **environment)
    return compile_snapshot(loaded.settings, loaded.environment, state, loaded.report)


def warnings(text: str, **environment: str) -> list[str]:
    """What reading and compiling warn of."""
    loaded = read(text, **environment)
    compile_snapshot(loaded.settings, loaded.environment, STATE, loaded.report)
    return [str(warning) for warning in loaded.report.warnings]


def problems(text: str, file: str = "llmgw.yaml", **environment: str) -> list[str]:
    """Why a configuration cannot be used; nothing if it can."""
    try:
        loaded = read(text, file, **environment)
        compile_snapshot(loaded.settings, loaded.environment, STATE, loaded.report)
    except SettingsError as error:
        return [str(problem) for problem in error.problems]
    return []


def group(snapshot: Snapshot, name: str) -> Group:
    """The group that serves a public name."""
    return snapshot.groups[snapshot.models[name]]


def deployments(snapshot: Snapshot, name: str) -> list[Deployment]:
    """The deployments behind a public name."""
    return [snapshot.deployments[index] for index in group(snapshot, name).deployments]


def names(snapshot: Snapshot, indexes: tuple[int, ...]) -> list[str]:
    """The names of these groups."""
    return [snapshot.groups[index].name for index in indexes]
