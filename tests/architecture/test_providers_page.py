"""docs/providers.md says what the records say."""

import runpy
from pathlib import Path

from llmgw.providers import providers

ROOT = Path(__file__).parents[2]
SCRIPT = runpy.run_path(str(ROOT / "scripts" / "providers_doc.py"))
PAGE = ROOT / "docs" / "providers.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == SCRIPT["render"](), "run scripts/providers_doc.py"


def test_every_prefix_is_on_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    prefixes = [name for one in providers() for name in (one.name, *one.aliases)]
    assert [name for name in prefixes if f"`{name}`" not in page] == []
