"""What comes in from outside is pinned: packages by hash, workflow actions by commit."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def name_of(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match, requirement
    return re.sub(r"[-_.]+", "-", match[0]).lower()


def pinned(lock: Path) -> set[str]:
    return {name_of(line) for line in lock.read_text().splitlines() if re.match(r"[a-z]", line)}


def project() -> dict[str, Any]:
    table: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return table


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_requirement_is_pinned_by_version_and_hash(lock: Path) -> None:
    blocks = re.split(r"\n(?=[a-z])", lock.read_text())

    assert [b.splitlines()[0] for b in blocks if not re.search(r"==\S+ \\\n    --hash=sha256:", b)] == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_requirements_name_no_index_and_no_host(lock: Path) -> None:
    hosts = re.findall(r"https?://\S+|--(?:index|extra-index|find-links|trusted-host).*", lock.read_text())

    assert hosts == []


def test_every_runtime_dependency_is_pinned() -> None:
    wanted = {name_of(each) for each in project()["dependencies"]}

    assert wanted - pinned(ROOT / "requirements" / "run.txt") == set()


def test_every_development_dependency_is_pinned() -> None:
    wanted = {name_of(each) for each in project()["optional-dependencies"]["dev"]}

    assert wanted - pinned(ROOT / "requirements" / "dev.txt") == set()


def versions(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^(\S+)==(\S+)", (ROOT / "requirements" / lock).read_text(), re.MULTILINE))


@pytest.mark.parametrize("lock", ["run.txt", "build.txt"])
def test_what_is_tested_is_what_is_shipped(lock: str) -> None:
    tested = versions("dev.txt")

    assert {name: version for name, version in versions(lock).items() if tested[name] != version} == {}


def test_images_and_workflows_build_with_one_rust() -> None:
    texts = [path.read_text() for path in (ROOT / "Dockerfile", *WORKFLOWS)]

    assert len({version for text in texts for version in re.findall(r"\brust:(\d+\.\d+)", text)}) == 1


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda workflow: workflow.name)
def test_every_action_is_pinned_by_commit_with_its_version_beside_it(workflow: Path) -> None:
    uses = re.findall(r"uses: (.*)", workflow.read_text())

    assert uses
    assert [each for each in uses if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+(\.\d+)*", each)] == []


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda workflow: workflow.name)
def test_workflows_hold_no_stored_secret(workflow: Path) -> None:
    assert "secrets." not in workflow.read_text()
