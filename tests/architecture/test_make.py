"""The commands: all are explained, and the documents name none that does not exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^\.PHONY: ([\w-]+)$", MAKEFILE, re.MULTILINE))


def test_every_target_says_in_help_what_it_does() -> None:
    explained = set(re.findall(r"^([\w-]+):.* ## \S", MAKEFILE, re.MULTILINE))

    assert explained == TARGETS


@pytest.mark.parametrize(
    "document", ["README.md", "CONTRIBUTING.md", ".ci/run", "scripts/audit.sh", "pyproject.toml"]
)
def test_documents_name_only_targets_that_exist(document: str) -> None:
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", (ROOT / document).read_text(), re.MULTILINE))

    assert named - TARGETS == set()
