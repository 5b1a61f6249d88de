"""Streams as providers really send them: cut anywhere, ordered in other ways, broken."""

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
