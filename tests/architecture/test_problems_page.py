"""docs/admin.md explains every kind of problem, with its status."""

import re
from pathlib import Path

from llmgw.endpoints.problems import Kind
from llmgw.errors import TABLE

PAGE = Path(__file__).parents[2] / "docs" / "admin.md"


def test_every_kind_is_in_the_table() -> None:
    told = dict(re.findall(r"^\| `([a-z-]+)` \| (\d+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    assert {kind.slug: str(kind.status) for kind in Kind}.items() <= told.items()


def test_no_kind_is_told_that_there_is_not() -> None:
    told = dict(re.findall(r"^\| `([a-z-]+)` \| (\d+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    others = {error.code.replace("_", "-"): str(error.status) for error in TABLE}
    assert told.items() <= {kind.slug: str(kind.status) for kind in Kind}.items() | others.items()
