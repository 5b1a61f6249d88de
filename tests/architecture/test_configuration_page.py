"""docs/configuration.md says what the schema says."""

import runpy
from pathlib import Path

import msgspec

from llmgw.settings import models, schema

ROOT = Path(__file__).parents[2]
SCRIPT = runpy.run_path(str(ROOT / "scripts" / "configuration_doc.py"))


def test_the_page_is_up_to_date() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert page == SCRIPT["render"](), "run scripts/configuration_doc.py"


def test_every_section_of_the_schema_is_on_the_page() -> None:
    shown = {kind for _, kind in SCRIPT["SECTIONS"]}
    written = {
        kind
        for module in (models, schema)
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and kind.__module__ == module.__name__
    }
    assert written - shown == {schema.KeysFile}
