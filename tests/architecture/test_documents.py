"""The documents: what they link to and the files they name exist, and their table of errors is the code's."""

import re
from pathlib import Path

import pytest

from llmgw.cli.app import app
from llmgw.errors import TABLE, GatewayError

ROOT = Path(__file__).parents[2]
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
DOCUMENTS = [
    *sorted(ROOT.glob("*.md")),
    ROOT / "bench" / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *DECISIONS,
]
MADE = {"bench/out/"}
"""What is there once it has been made."""

each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)


@each_document
def test_links_lead_to_files_that_exist(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text(encoding="utf-8"))

    assert [link for link in links if not (document.parent / link).exists()] == []


@each_document
def test_paths_that_are_named_exist(document: Path) -> None:
    named = re.findall(
        r"`((?:rust|python|tests|docs|scripts|bench)/[\w./-]+)`", document.read_text(encoding="utf-8")
    )

    assert [path for path in named if path not in MADE and not (ROOT / path).exists()] == []


@each_document
def test_no_merge_is_left_half_done(document: Path) -> None:
    lines = document.read_text(encoding="utf-8").splitlines()

    assert [line for line in lines if re.match(r"(<{7}|={7}|>{7})( |$)", line)] == []


def test_modules_of_the_path_of_a_request_exist() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = re.findall(r"`(\w+\.rs)`", page)

    assert [name for name in named if not (ROOT / "rust" / "core" / "src" / name).exists()] == []


def test_the_table_of_errors_is_that_of_the_code() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| [A-Z][A-Za-z]+ \| \d+ .*$", page, re.MULTILINE)

    assert rows == [_row(error) for error in TABLE]


def test_decisions_are_numbered_without_a_gap() -> None:
    assert [int(path.name[:4]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))


@pytest.mark.parametrize("document", ["README.md", "CHANGELOG.md"])
def test_the_list_of_commands_is_that_of_the_command_line(document: str) -> None:
    page = (ROOT / document).read_text(encoding="utf-8")
    found = re.search(r"Command(?:s| line\*\*): (`serve`[^.]+)\.", page)
    named = set(re.findall(r"`([a-z-]+)`", found[1])) if found else set()

    assert named == {name for name in app if not name.startswith("-")}


def _row(error: type[GatewayError]) -> str:
    may = ["yes" if word else "–" for word in (error.retry, error.fall_back, error.cool_down)]
    return f"| {' | '.join([error.__name__, str(error.status), error.type, error.code, *may])} |"
