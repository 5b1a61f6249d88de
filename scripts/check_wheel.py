"""Checks what is in a wheel: the package, its description and one native module, and nothing else.

A `.pth` file in a wheel is executed by every Python that starts in its environment; that is how stolen
publishing rights were turned into stolen credentials elsewhere. So a wheel holds only what is listed here.
"""

import re
import sys
import zipfile
from pathlib import Path

MAX_BYTES = 40_000_000

EXPECTED = (
    r"llmgw/(\w+/)*\w+\.py",
    r"llmgw/(\w+/)*\w+\.(json|toml|yaml)",
    r"llmgw/py\.typed",
    r"llmgw/_native\.pyi",
    r"llmgw/_native\.abi3\.so",
    r"llmgw-[^/]+\.dist-info/(METADATA|WHEEL|RECORD|entry_points\.txt)",
    r"llmgw-[^/]+\.dist-info/licenses/(LICENSE|NOTICE)",
    r"llmgw-[^/]+\.dist-info/sboms/[\w.-]+\.cyclonedx\.json",
)
REQUIRED = (
    "llmgw/py.typed",
    "llmgw/_native.pyi",
    "llmgw/_native.abi3.so",
    "llmgw/providers/models.json",
    "llmgw/store/migrations/versions/0001_keep_who_there_is.py",
    "entry_points.txt",
    "licenses/LICENSE",
    "licenses/NOTICE",
    ".cyclonedx.json",
)


def faults(wheel: Path) -> list[str]:
    """All that is wrong with a wheel, a sentence each; empty when it is fit to publish."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    allowed = re.compile("|".join(EXPECTED))
    found = [f"unexpected file: {name}" for name in names if not allowed.fullmatch(name)]
    found += [f"missing: {end}" for end in REQUIRED if not any(name.endswith(end) for name in names)]
    if "-cp311-abi3-" not in wheel.name:
        found.append(f"not built for the stable ABI of Python 3.11: {wheel.name}")
    if (size := wheel.stat().st_size) > MAX_BYTES:
        found.append(f"too large: {size:,} bytes, more than {MAX_BYTES:,}")
    return found


def main(paths: list[str]) -> int:
    """Check each wheel and print its size; 1 if there is none or any has a fault."""
    if not paths:
        print("usage: check_wheel.py WHEEL...", file=sys.stderr)
    status = 0 if paths else 1
    for wheel in map(Path, paths):
        wrong = faults(wheel)
        print(f"{wheel.name}: {wheel.stat().st_size / 1e6:.1f} MB, {len(wrong)} faults")
        for fault in wrong:
            print(f"  {fault}")
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
