"""Streams as providers really send them: cut anywhere, ordered in other ways, broken."""

import json

import pytest

from tests.clients.base import Ask
from tests.e2e.dialects import table
from tests.e2e.dialects.conftest import Dialects
from tests.e2e.dialects.expectations import check
from tests.e2e.dialects.table import Cell


@pytest.mark.parametrize("cell", table.VARIANTS, ids=str)
def test_another_sequence_of_events_says_the_same(dialects: Dialects, cell: Cell) -> None:
    outcome = dialects.client(cell.surface, cell.wire).stream(Ask(cell.scenario))

    check(outcome, cell.surface, cell.wire, cell.scenario)


@pytest.mark.parametrize("size", [1, 7])
@pytest.mark.parametrize("scenario", ["unicode", "parallel_tools", "reasoning_tools"])
@pytest.mark.parametrize(("surface", "wire"), table.PAIRS)
def test_a_stream_may_be_cut_anywhere(
    dialects: Dialects, surface: str, wire: str, scenario: str, size: int
) -> None:
    outcome = dialects.client(surface, wire).stream(Ask(scenario, cut=size))

    check(outcome, surface, wire, scenario)


@pytest.mark.parametrize("cell", table.BROKEN, ids=str)
def test_a_broken_stream_is_never_taken_for_a_whole_reply(dialects: Dialects, cell: Cell) -> None:
    """SDKs raise, or show a reply without a reason to stop."""
    try:
        outcome = dialects.client(cell.surface, cell.wire).stream(Ask(cell.scenario))
    except Exception:
        return
    assert outcome.finish is None


@pytest.mark.parametrize("wire", ["openai_responses", "anthropic_messages"])
def test_the_error_that_ends_a_response_is_numbered_as_its_other_events(
    dialects: Dialects, wire: str
) -> None:
    body = {"model": wire, "input": "[[scenario:cut_mid_stream]]", "stream": True}
    reply = dialects.gateway.post("/v1/responses", body)
    lines = [line for line in reply.body.split(b"\n") if line.startswith(b"data: ")]
    events = [json.loads(line.removeprefix(b"data: ")) for line in lines]

    assert "error" in [event["type"] for event in events]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
