"""Whole sessions of Codex with the models of every vendor."""

from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.e2e.agents import task
from tests.e2e.agents.codex import Codex
from tests.e2e.agents.conftest import Agents, key_for
from tests.e2e.dialects.table import WIRES
from tests.upstreams.speech import Turn
from tests.upstreams.speech.turn import INPUT_TOKENS, OUTPUT_TOKENS
from tests.upstreams.vendors.fixtures import SIGNATURE

Start = Callable[..., Codex]
SEAL_KEEPERS = ("anthropic_messages", "openai_responses", "gemini_generate", "bedrock_converse")
FORMS = pytest.mark.parametrize("grouped", [False, True], ids=["tools", "grouped"])


def in_group(turn: Turn) -> Turn:
    return replace(turn, calls=tuple(replace(call, namespace="functions") for call in turn.calls))


@pytest.fixture
def start(agents: Agents, sessions: ExitStack, workspace: Path) -> Start:
    """Start it in the workspace, with a model that has the task's turns to say."""

    def begin(wire: str, *, grouped: bool = False) -> Codex:
        turns = task.codex(workspace)
        agents.models[wire].will_say(*(map(in_group, turns) if grouped else turns))
        session = Codex(agents.gateway.url, key_for(wire), workspace, grouped=grouped)
        return sessions.enter_context(closing(session))

    return begin


@FORMS
@pytest.mark.parametrize("wire", WIRES)
def test_a_session_comes_to_its_end(
    agents: Agents, start: Start, workspace: Path, wire: str, grouped: bool
) -> None:
    last = start(wire, grouped=grouped).work()

    assert last == task.END
    assert (workspace / "out.txt").read_text() == task.ANSWER
    assert agents.models[wire].left == 0


@FORMS
@pytest.mark.parametrize("wire", WIRES)
def test_a_patch_comes_as_the_free_text_that_it_is(start: Start, wire: str, grouped: bool) -> None:
    agent = start(wire, grouped=grouped)
    agent.work()

    patch = next(each for each in agent.items if each["type"] == "custom_tool_call")
    assert (patch["name"], patch["input"]) == ("apply_patch", task.PATCH)


@pytest.mark.parametrize("wire", WIRES)
def test_a_turn_shows_thought_words_and_calls_in_this_order(start: Start, wire: str) -> None:
    agent = start(wire)
    given = len(agent.items)
    agent.work()

    turn = [each for each in agent.items[given:] if each["type"] != "reasoning" or each["summary"]][:4]
    assert [each["type"] for each in turn] == ["reasoning", "message", "function_call", "function_call"]
    assert turn[0]["summary"][0]["text"] == task.THOUGHT
    assert turn[1]["content"][0]["text"] == task.PLAN
    assert turn[2]["call_id"] != turn[3]["call_id"]


@pytest.mark.parametrize("wire", SEAL_KEEPERS)
def test_a_thought_comes_back_with_the_proof_it_had(agents: Agents, start: Start, wire: str) -> None:
    start(wire).work()

    first, *later = agents.models[wire].requests
    assert SIGNATURE.encode() not in first.body
    assert all(SIGNATURE.encode() in request.body for request in later)


@pytest.mark.parametrize("wire", WIRES)
def test_every_turn_says_what_it_used(start: Start, wire: str) -> None:
    agent = start(wire)
    agent.work()

    counted = [(each["input_tokens"], each["output_tokens"]) for each in agent.usage]
    assert counted == [(INPUT_TOKENS, OUTPUT_TOKENS)] * 3
