"""Whole sessions of Claude Code with the models of every vendor."""

from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.e2e.agents import task
from tests.e2e.agents.claude_code import BETAS, ClaudeCode
from tests.e2e.agents.conftest import Agents, key_for
from tests.e2e.dialects.table import WIRES
from tests.upstreams.speech.turn import INPUT_TOKENS, OUTPUT_TOKENS
from tests.upstreams.vendors.fixtures import SIGNATURE

Start = Callable[[str], ClaudeCode]
SEAL_KEEPERS = ("anthropic_messages", "openai_responses", "gemini_generate", "bedrock_converse")


@pytest.fixture
def start(agents: Agents, sessions: ExitStack, workspace: Path) -> Start:
    """Start it in the workspace, with a model that has the task's turns to say."""

    def begin(wire: str) -> ClaudeCode:
        agents.models[wire].will_say(*task.claude_code(workspace))
        return sessions.enter_context(closing(ClaudeCode(agents.gateway.url, key_for(wire), workspace)))

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
    agent.work()

    # What Gemini signs is a call: its signature comes as a thought without words.
    content = [each for each in agent.messages[1]["content"] if each.get("thinking") != ""]
    assert [each["type"] for each in content] == ["thinking", "text", "tool_use", "tool_use"]
    assert content[0]["thinking"] == task.THOUGHT
    assert content[1]["text"] == task.PLAN
    assert content[2]["input"]["command"] == task.READ
    assert content[2]["id"] != content[3]["id"]


@pytest.mark.parametrize("wire", SEAL_KEEPERS)
def test_a_thought_comes_back_with_the_signature_it_had(agents: Agents, start: Start, wire: str) -> None:
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


@pytest.mark.parametrize("wire", WIRES)
def test_tokens_are_counted_before_and_during_a_session(start: Start, wire: str) -> None:
    agent = start(wire)
    before = agent.count()
    agent.work()

    assert before > 0
    assert agent.count() >= before


@pytest.mark.parametrize("wire", WIRES)
def test_the_smaller_model_finds_a_title(start: Start, wire: str) -> None:
    assert start(wire).title()


def test_the_picker_lists_models_in_anthropics_shape(start: Start) -> None:
    assert "openai_chat" in start("openai_chat").models()


def test_somebody_answers_at_the_root(start: Start) -> None:
    assert start("openai_chat").is_there()


@pytest.mark.parametrize("wire", WIRES)
def test_betas_are_told_to_anthropic_alone(agents: Agents, start: Start, wire: str) -> None:
    start(wire).work()

    told = {request.header("anthropic-beta") for request in agents.models[wire].requests}
    assert told == ({BETAS} if wire == "anthropic_messages" else {None})
