"""Turns that go on: results of tools, with the thoughts that belong to their calls."""

import pytest

from tests.clients.base import Ask, Later
from tests.e2e.dialects import table
from tests.e2e.dialects.conftest import Dialects
from tests.e2e.dialects.expectations import check

WITH_CALLS = ("parallel_tools", "text_and_tool", "no_arguments", "reasoning_tools")


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("scenario", WITH_CALLS)
@pytest.mark.parametrize(("surface", "wire"), table.PAIRS)
def test_results_of_tools_bring_the_last_answer(
    dialects: Dialects, surface: str, wire: str, scenario: str, streamed: bool
) -> None:
    client, ask = dialects.client(surface, wire), Ask(scenario)
    send = client.stream if streamed else client.ask

    first = send(ask)
    last = send(ask, Later(ask, first, ["21 °C", "4 °C"][: len(first.calls)]))

    check(last, surface, wire, "after_tools")


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("surface", [each for each in table.SURFACES if each != "openai_chat"])
@pytest.mark.parametrize(
    "wire", ["anthropic_messages", "openai_responses", "gemini_generate", "bedrock_converse"]
)
def test_a_signature_comes_back_to_who_signed(
    dialects: Dialects, surface: str, wire: str, streamed: bool
) -> None:
    client, ask = dialects.client(surface, wire), Ask("reasoning_tools")
    first = client.stream(ask) if streamed else client.ask(ask)
    signature = table.KNOWN["replies"]["reasoning_tools"]["signature"]

    client.ask(ask, Later(ask, first, ["21 °C"]))

    assert signature.encode() in dialects.upstreams[wire].requests[-1].body


@pytest.mark.parametrize("target", table.WIRES)
@pytest.mark.parametrize("origin", table.WIRES)
@pytest.mark.parametrize("surface", table.SURFACES)
def test_a_conversation_may_move_to_another_provider(
    dialects: Dialects, surface: str, origin: str, target: str
) -> None:
    """The thoughts of one provider are of no use to another: they must not be sent there."""
    ask = Ask("reasoning_tools")
    first = dialects.client(surface, origin).ask(ask)

    last = dialects.client(surface, target).ask(ask, Later(ask, first, ["21 °C"]))

    check(last, surface, target, "after_tools")
