"""Claude Code, Codex and Gemini CLI, as they are, with the models of every vendor behind the gateway."""

from pathlib import Path

import pytest

from tests.e2e.agents import cli, task
from tests.e2e.agents.conftest import Agents, key_for
from tests.e2e.dialects.table import WIRES

# How hard Gemini CLI is told that the task is, which it asks before it chooses a model.
EASY = '{"complexity_reasoning": "One file.", "complexity_score": 5}'


@pytest.fixture(scope="module")
def commands(pytestconfig: pytest.Config) -> Path:
    """The folder of the agents' commands."""
    assert pytestconfig.cache is not None
    return cli.install(pytestconfig.cache)


@pytest.mark.timeout(700)
@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("one", cli.CLIS, ids=lambda one: one.name)
def test_an_agent_does_its_task(
    commands: Path, agents: Agents, tmp_path: Path, workspace: Path, one: cli.Cli, wire: str
) -> None:
    model = agents.models[wire]
    model.will_say(*one.turns(workspace))
    model.aside = EASY
    home = tmp_path / "home"
    home.mkdir()

    printed = cli.run(one, commands, home, workspace, agents.gateway.url, key_for(wire))

    assert (workspace / "out.txt").read_text() == task.ANSWER
    assert task.END in printed
    assert model.left == 0
    assert model.refused == []
