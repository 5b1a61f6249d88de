"""What may be in a wheel: nothing but the package, and nothing that runs by itself."""

import zipfile
from pathlib import Path

import pytest

from scripts.check_wheel import MAX_BYTES, faults

NAME = "llmgw-1.0-cp311-abi3-manylinux_2_28_x86_64.whl"
GOOD = (
    "llmgw/__init__.py",
    "llmgw/settings/schema.py",
    "llmgw/py.typed",
    "llmgw/_native.pyi",
    "llmgw/_native.abi3.so",
    "llmgw/providers/models.json",
    "llmgw/store/migrations/versions/0001_keep_who_there_is.py",
    "llmgw-1.0.dist-info/METADATA",
    "llmgw-1.0.dist-info/WHEEL",
    "llmgw-1.0.dist-info/RECORD",
    "llmgw-1.0.dist-info/entry_points.txt",
    "llmgw-1.0.dist-info/licenses/LICENSE",
    "llmgw-1.0.dist-info/licenses/NOTICE",
    "llmgw-1.0.dist-info/sboms/llmgw-py.cyclonedx.json",
)


def write_wheel(path: Path, *names: str, filler: int = 0) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, bytes(filler))
    return path


def test_a_wheel_with_the_package_and_its_description_is_fit(tmp_path: Path) -> None:
    assert faults(write_wheel(tmp_path / NAME, *GOOD)) == []


@pytest.mark.parametrize(
    "stray",
    [
        "llmgw.pth",
        "llmgw/start.pth",
        "llmgw/_native.cpython-311-x86_64-linux-gnu.so",
        "llmgw.libs/libhs-1234.so.5",
        "llmgw-1.0.data/scripts/llmgw",
        "sitecustomize.py",
        "tests/test_app.py",
        "llmgw/../evil.py",
    ],
)
def test_a_file_that_is_not_listed_is_refused(tmp_path: Path, stray: str) -> None:
    assert faults(write_wheel(tmp_path / NAME, *GOOD, stray)) == [f"unexpected file: {stray}"]


@pytest.mark.parametrize("lost", ["llmgw/_native.abi3.so", "llmgw/py.typed"])
def test_a_missing_part_is_named(tmp_path: Path, lost: str) -> None:
    rest = [name for name in GOOD if name != lost]

    assert faults(write_wheel(tmp_path / NAME, *rest)) == [f"missing: {lost}"]


def test_a_wheel_for_one_python_only_is_refused(tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path / "llmgw-1.0-cp311-cp311-linux_x86_64.whl", *GOOD)

    assert faults(wheel) == [f"not built for the stable ABI of Python 3.11: {wheel.name}"]


def test_a_wheel_that_grew_too_large_is_refused(tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path / NAME, *GOOD, filler=MAX_BYTES // len(GOOD) + 1)

    assert [fault.split(":")[0] for fault in faults(wheel)] == ["too large"]
