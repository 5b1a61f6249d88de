"""What the figures were measured on, and with what."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import msgspec

from llmgw import _native


class Machine(msgspec.Struct, frozen=True):
    """The machine and the versions; an empty text where a fact is not to be had."""

    processor: str
    cores: int
    memory_bytes: int
    kernel: str
    hypervisor: bool
    python: str
    llmgw: str
    granian: str
    nginx: str
    commit: str
    debug_build: bool
    date: str
    load: float
    """Load average of the last minute before the run: what else the machine was doing."""


def describe(nginx: str) -> Machine:
    """The facts of here and now; to be asked before the run begins."""
    processor = _cpu_fact("model name")
    if mhz := _cpu_fact("cpu MHz"):
        processor += f", {float(mhz):.0f} MHz"
    return Machine(
        processor=processor or platform.processor(),
        cores=os.cpu_count() or 1,
        memory_bytes=os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        kernel=f"{platform.system()} {platform.release()}",
        hypervisor="hypervisor" in _cpu_fact("flags").split(),
        python=platform.python_version(),
        llmgw=_native.__version__,
        granian=_version("granian"),
        nginx=nginx,
        commit=_commit(),
        debug_build=_native.DEBUG_BUILD,
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        load=os.getloadavg()[0],
    )


def server_and_client_cores() -> tuple[int | None, int | None]:
    """A core for the server under test, another for load and upstream; none of a single one."""
    cores = sorted(os.sched_getaffinity(0))
    return (cores[0], cores[-1]) if len(cores) > 1 else (None, None)


def _cpu_fact(name: str) -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        key, _, fact = line.partition(":")
        if key.strip() == name:
            return fact.strip()
    return ""


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _commit() -> str:
    told = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return told.stdout.strip()
