"""docs/openapi.json says what the table of endpoints says."""

import json
import runpy
from pathlib import Path

from llmgw.endpoints.base import Access

ROOT = Path(__file__).parents[2]
SCRIPT = runpy.run_path(str(ROOT / "scripts" / "openapi_doc.py"))
PAGE = ROOT / "docs" / "openapi.json"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == SCRIPT["render"](), "run scripts/openapi_doc.py"


def test_every_row_of_the_table_is_on_the_page() -> None:
    paths = json.loads(PAGE.read_text(encoding="utf-8"))["paths"]
    shown = {(method.upper(), path) for path, methods in paths.items() for method in methods}

    assert shown == {(row.method, row.path.replace("*}", "}")) for row in SCRIPT["endpoints"]()}


def test_the_page_says_which_endpoints_ask_for_a_key() -> None:
    paths = json.loads(PAGE.read_text(encoding="utf-8"))["paths"]
    asking = {path for path, methods in paths.items() for one in methods.values() if "security" in one}
    rows = SCRIPT["endpoints"]()

    assert asking == {row.path.replace("*}", "}") for row in rows if row.permission is not Access.PUBLIC}


def test_operation_ids_are_unique() -> None:
    paths = json.loads(PAGE.read_text(encoding="utf-8"))["paths"]
    ids = [one["operationId"] for methods in paths.values() for one in methods.values()]

    assert len(ids) == len(set(ids))
