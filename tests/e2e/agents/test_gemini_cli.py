"""Whole sessions of Gemini CLI with the models of every vendor."""

from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.e2e.agents import task
from tests.e2e.agents.conftest import Agents, key_for
from tests.e2e.agents.gemini_cli import UNSIGNED, GeminiCli
from tests.e2e.dialects.table import WIRES
from tests.upstreams.speech.turn import INPUT_TOKENS, OUTPUT_TOKENS
from tests.upstreams.vendors.fixtures import SIGNATURE

Start = Callable[[str], GeminiCli]


@pytest.fixture
def start(agents: Agents, sessions: ExitStack, workspace: Path) -> Start:
    """Start it in the workspace, with a model that has the task's turns to say."""

    def begin(wire: str) -> GeminiCli:
        agents.models[wire].will_say(*task.gemini_cli(workspace))
        return sessions.enter_context(closing(GeminiCli(agents.gateway.url, key_for(wire), workspace)))

    return begin


@pytest.mark.parametrize("wire", WIRES)
def test_a_session_comes_to_its_end(agents: Agents, start: Start, workspace: Path, wire: str) -> None:
    last = start(wire).work()

    assert last == task.END
    assert (workspace / "out.txt").read_text() == task.ANSWER
    assert agents.models[wire].left == 0


@pytest.mark.parametrize("wire", WIRES)
def test_a_turn_shows_thought_words_and_calls_in_this_order(start: Start, wire: str) -> None:
    agent = start(wire)
    given = len(agent.contents)
    agent.work()

    text, *calls = agent.contents[given]["parts"]
    assert agent.thoughts[0] == task.THOUGHT
    assert text["text"] == task.PLAN
    assert [each["functionCall"]["name"] for each in calls] == ["run_shell_command", "read_file"]
    assert calls[0]["functionCall"]["id"] != calls[1]["functionCall"]["id"]


def test_a_signature_comes_back_to_gemini(agents: Agents, start: Start) -> None:
    start("gemini_generate").work()

    first, *later = agents.models["gemini_generate"].requests
    assert SIGNATURE.encode() not in first.body
    assert all(SIGNATURE.encode() in request.body for request in later)


@pytest.mark.parametrize("wire", [each for each in WIRES if each != "gemini_generate"])
def test_the_stand_in_for_a_signature_is_for_google_alone(agents: Agents, start: Start, wire: str) -> None:
    start(wire).work()

    assert all(UNSIGNED.encode() not in request.body for request in agents.models[wire].requests)


@pytest.mark.parametrize("wire", WIRES)
def test_every_turn_says_what_it_used(start: Start, wire: str) -> None:
    agent = start(wire)
    agent.work()

    said = [each["candidatesTokenCount"] + each.get("thoughtsTokenCount", 0) for each in agent.usage]
    assert [each["promptTokenCount"] for each in agent.usage] == [INPUT_TOKENS] * 3
    assert said == [OUTPUT_TOKENS] * 3


@pytest.mark.parametrize("wire", WIRES)
def test_a_smaller_model_says_in_json_how_hard_the_task_is(agents: Agents, start: Start, wire: str) -> None:
    agents.models[wire].aside = '{"complexity_reasoning": "One file.", "complexity_score": 5}'

    assert start(wire).difficulty() == 5


@pytest.mark.parametrize("wire", WIRES)
def test_tokens_are_counted_before_and_during_a_session(start: Start, wire: str) -> None:
    agent = start(wire)
    before = agent.count()
    agent.work()

    assert before > 0
    assert agent.count() >= before
