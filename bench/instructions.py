"""Counts the instructions of hot functions and fails when one needs more than its reference.

Unlike times, instruction counts hardly vary, so that this gate can be narrow on a busy machine.
Each function runs in `rust/core/examples/hot.rs` twice under callgrind, for different numbers of
times; the difference leaves out what is done once. Callgrind's processor has AVX2 but neither
AVX-512 nor SHA instructions, so a count is a yardstick for changes, not the instructions that run
in production. References are of one compiler: after changing it, write them anew.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REFERENCES = Path(__file__).with_name("instructions.json")
TOLERANCE = 0.02
"""Share by which a count may exceed its reference: what another layout of the code may cost."""
FEW, MANY = 100, 600


def main() -> int:
    """Measure and compare, or write the references; returns 1 when a function grew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--update", action="store_true", help="write the counts as references")
    parser.add_argument("--program", type=Path, help="the built example, instead of building it")
    options = parser.parse_args()
    program = options.program or build()
    names = subprocess.run([program], capture_output=True, text=True, check=True).stdout.split()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        counts = dict(zip(names, pool.map(lambda name: per_call(program, name), names), strict=True))
    compiler = subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=True)
    if options.update:
        written = {"compiler": compiler.stdout.strip(), "counts": counts}
        REFERENCES.write_text(json.dumps(written, indent=1) + "\n")
        return 0
    references = json.loads(REFERENCES.read_text())
    if references["compiler"] != compiler.stdout.strip():
        print(f"the references are of another compiler: {references['compiler']}", file=sys.stderr)
    return report(counts, references["counts"])


def build() -> Path:
    """Build the example as releases are built, and return its path."""
    command = ["cargo", "build", "--release", "-p", "llmgw-core", "--example", "hot"]
    subprocess.run(command, cwd=ROOT, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return target / "release" / "examples" / "hot"


def per_call(program: Path, name: str) -> int:
    """Instructions of one call."""
    return round((collect(program, name, MANY) - collect(program, name, FEW)) / (MANY - FEW))


def collect(program: Path, name: str, times: int) -> int:
    """Instructions of a whole process that calls the function so many times."""
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
    told = subprocess.run([*command, program, name, str(times)], capture_output=True, text=True, check=True)
    collected = re.search(r"Collected : (\d+)", told.stderr)
    if collected is None:
        raise RuntimeError(f"callgrind did not say what it collected: {told.stderr}")
    return int(collected[1])


def report(counts: dict[str, int], references: dict[str, int]) -> int:
    """Print each function's count beside its reference; returns 1 when one grew."""
    grown = False
    for name, count in counts.items():
        reference = references.get(name)
        change = "new" if not reference else f"{100 * (count / reference - 1):+.1f} %"
        too_many = reference is not None and count > reference * (1 + TOLERANCE)
        grown |= too_many
        print(f"{name:18} {count:8,} {change}{'  GREW' if too_many else ''}")
    return int(grown)


if __name__ == "__main__":
    sys.exit(main())
