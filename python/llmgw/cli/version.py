"""`llmgw version`."""

import platform
from importlib import metadata

from llmgw import __version__, _native
from llmgw.cli import OK
from llmgw.cli.output import print_json

_RUNS_ON = ("granian", "msgspec", "orjson", "uvloop")


def version(*, as_json: bool) -> int:
    """Print the version, and as JSON those of what it runs on."""
    if as_json:
        print_json(describe())
    else:
        print(f"llmgw {__version__}{' (debug build)' if _native.DEBUG_BUILD else ''}")
    return OK


def describe() -> dict[str, object]:
    """The version of llmgw, and of what it runs on."""
    return {
        "llmgw": __version__,
        "debug_build": _native.DEBUG_BUILD,
        "python": platform.python_version(),
        "platform": platform.platform(),
        **{name: _installed(name) for name in _RUNS_ON},
    }


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
