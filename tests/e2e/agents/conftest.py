"""A gateway in front of every vendor's scripted model, and a key for each, to which all names mean it."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import gateway_config
from tests.e2e.agents.model import ScriptedModel
from tests.e2e.dialects.conftest import VENDORS, entry
from tests.e2e.dialects.table import WIRES
from tests.gateway_process import GatewayProcess

NOTES = "the answer is 42\n"
# The names that agents ask for by themselves.
ASKED_FOR = ("claude-*", "gpt-*", "gemini-*")
REQUEST_BYTES = 20_000_000


@dataclass(frozen=True)
class Agents:
    """The gateway, and the model behind the key of each format's name."""

    gateway: GatewayProcess
    models: dict[str, ScriptedModel]


def key_for(wire: str) -> str:
    """The key with which all models are the one behind this format."""
    return f"agent-key-{wire.replace('_', '-')}-0123456789"


def _variable(wire: str) -> str:
    return f"AGENT_{wire.upper()}"


@pytest.fixture(scope="session")
def running_agents(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agents]:
    """Everything started, for the whole session."""
    with ExitStack() as running:
        models = {wire: running.enter_context(ScriptedModel(VENDORS[wire])) for wire in WIRES}
        keys = [
            {"alias": wire, "key": f"env:{_variable(wire)}", "models": [wire]}
            | {"model_map": dict.fromkeys(ASKED_FOR, wire)}
            for wire in WIRES
        ]
        entries = (entry(wire, model) for wire, model in models.items())
        config = gateway_config(*entries, keys=keys, server={"max_body_bytes": REQUEST_BYTES})
        environment = {_variable(wire): key_for(wire) for wire in WIRES}
        home = tmp_path_factory.mktemp("agents")
        gateway = running.enter_context(GatewayProcess(home, config, env=environment))
        yield Agents(gateway, models)


@pytest.fixture
def agents(running_agents: Agents) -> Agents:
    """Models that have nothing to say yet."""
    running_agents.gateway.assert_running()
    for model in running_agents.models.values():
        model.forget()
        model.refused.clear()
        model.will_say()
    return running_agents


@pytest.fixture
def sessions(agents: Agents) -> Iterator[ExitStack]:
    """Where sessions are entered that end with the test; no model may have refused anything in them."""
    with ExitStack() as running:
        yield running
    assert not any(model.refused for model in agents.models.values())


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A folder with the file that the task is about."""
    folder = tmp_path / "workspace"
    folder.mkdir()
    (folder / "notes.txt").write_text(NOTES)
    return folder
