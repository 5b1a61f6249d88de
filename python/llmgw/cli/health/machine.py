"""Checks of the installation and the machine: interpreter, build, descriptors, port, clock."""

import http.client
import platform
import resource
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from llmgw import __version__, _native
from llmgw.cli.health.finding import Finding, failure, ok, warning
from llmgw.settings.schema import ServerSettings

_OLDEST = (3, 11)
_SPARE_DESCRIPTORS = 256
"""For what is open besides connections: listeners, logs, the settings file."""


def check_machine(server: ServerSettings) -> Iterator[Finding]:
    """Every check of this module."""
    yield check_python()
    yield check_build()
    yield check_descriptors(server.max_connections)
    yield check_port(server.host, server.port)
    yield check_clock(time.time())


def check_python() -> Finding:
    """An interpreter that the wheel is made for."""
    name = f"{platform.python_implementation()} {platform.python_version()} on {platform.machine()}"
    if sys.version_info < _OLDEST or platform.python_implementation() != "CPython":
        return failure("python", name, "llmgw needs CPython 3.11 or newer")
    return ok("python", name)


def check_build() -> Finding:
    """The native module is an optimised build."""
    file = Path(str(_native.__file__)).name
    if _native.DEBUG_BUILD:
        return warning("build", f"{__version__}, a debug build ({file})", "it is many times slower")
    return ok("build", f"{__version__} ({file})")


def check_descriptors(connections: int) -> Finding:
    """Descriptors for every connection and the one it leads to, in each worker."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = 2 * connections + _SPARE_DESCRIPTORS
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return ok("descriptors", f"{soft} open files allowed")
    message = f"{soft} open files allowed, {needed} needed for {connections} connections per worker"
    if hard == resource.RLIM_INFINITY or hard >= needed:
        return warning("descriptors", message, f"ulimit -n {needed}")
    return warning("descriptors", message, "raise the limit (LimitNOFILE=), or lower max_connections")


def check_port(host: str, port: int) -> Finding:
    """The address is free, or a gateway of ours has it."""
    address = f"{host}:{port}"
    try:
        family, _, _, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
            probe.listen(1)
    except OSError as error:
        if _is_gateway(host, port):
            return warning("port", f"a gateway is running on {address}")
        return failure("port", f"cannot listen on {address}: {error.strerror}", "choose another --port")
    return ok("port", f"{address} is free")


def check_clock(now: float) -> Finding:
    """The clock is not behind the installed files, as it is on a machine without one."""
    installed = Path(str(_native.__file__)).stat().st_mtime
    shown = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now))
    if now < installed:
        return failure("clock", f"it says {shown}, before llmgw was installed", "expiry needs a right clock")
    return ok("clock", shown)


def _is_gateway(host: str, port: int) -> bool:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - what to ask, not to listen on
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", "/health/liveliness")
        return connection.getresponse().status in (http.client.OK, http.client.SERVICE_UNAVAILABLE)
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
