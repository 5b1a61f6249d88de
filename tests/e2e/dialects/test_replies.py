"""Every cell of the table, whole and streamed, through the official SDKs."""

import pytest

from tests.clients.base import Ask
from tests.e2e.dialects import table
from tests.e2e.dialects.conftest import Dialects
from tests.e2e.dialects.expectations import check
from tests.e2e.dialects.table import Cell


@pytest.mark.parametrize("cell", table.SUPPORTED, ids=str)
def test_a_whole_reply(dialects: Dialects, cell: Cell) -> None:
    outcome = dialects.client(cell.surface, cell.wire).ask(Ask(cell.scenario))

    check(outcome, cell.surface, cell.wire, cell.scenario)


@pytest.mark.parametrize("cell", table.SUPPORTED, ids=str)
def test_a_stream(dialects: Dialects, cell: Cell) -> None:
    outcome = dialects.client(cell.surface, cell.wire).stream(Ask(cell.scenario))

    check(outcome, cell.surface, cell.wire, cell.scenario)


@pytest.mark.parametrize("scenario", ["text", "parallel_tools"])
@pytest.mark.parametrize(("surface", "wire"), table.PAIRS)
async def test_the_asynchronous_clients(dialects: Dialects, surface: str, wire: str, scenario: str) -> None:
    client = dialects.client(surface, wire)

    check(await client.ask_async(Ask(scenario)), surface, wire, scenario)
    check(await client.stream_async(Ask(scenario)), surface, wire, scenario)


def test_a_cell_is_left_out_only_where_the_upstream_or_the_surface_lacks_the_means() -> None:
    recorded = {(wire, name) for name, said in table.KNOWN["replies"].items() for wire in said["formats"]}
    lacking = {
        (wire, name) for wire in table.WIRES for name in table.SCENARIOS if (wire, name) not in recorded
    }

    assert set(table.WIRE_LACKS) == lacking
    assert all(name in table.SCENARIOS for _, name in table.SURFACE_LACKS)
