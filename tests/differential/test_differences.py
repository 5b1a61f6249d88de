"""Where llmgw translates otherwise than LiteLLM, the table says who is right and why."""

from dataclasses import replace
from pathlib import Path

import pytest

from scripts.differential_doc import PAGE, render
from tests.differential.differences import Difference, Entry, table
from tests.differential.sides import WIRES, Sides
from tests.upstreams.vendors import fixtures

ROOT = Path(__file__).parents[2]
CONVERSATIONS = {
    name: each["openai_chat"] for name, each in fixtures.conversations().items() if "openai_chat" in each
}


@pytest.fixture(scope="session")
def differences(sides: Sides) -> list[Difference]:
    """All of them: every conversation for every upstream, and every recorded reply."""
    requests = (sides.requests(wire, case, body) for case, body in CONVERSATIONS.items() for wire in WIRES)
    replies = (
        sides.replies(wire, path.stem)
        for wire in WIRES
        for path in sorted((fixtures.ROOT / "replies" / wire).glob("*.json"))
    )
    return [found for each in (*requests, *replies) for found in each]


def test_every_difference_is_explained(differences: list[Difference]) -> None:
    entries = table()

    assert [str(each) for each in differences if not any(entry.explains(each) for entry in entries)] == []


@pytest.mark.parametrize("entry", table(), ids=lambda entry: entry.why[:40])
def test_every_part_of_an_explanation_is_of_a_difference(differences: list[Difference], entry: Entry) -> None:
    parts = (
        *(replace(entry, wires=[wire]) for wire in entry.wires),
        *(replace(entry, paths=[path]) for path in entry.paths),
        *(replace(entry, cases=[case]) for case in entry.cases),
    )

    assert [part for part in parts if not any(part.explains(each) for each in differences)] == []


def test_the_page_says_what_the_table_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(table())
