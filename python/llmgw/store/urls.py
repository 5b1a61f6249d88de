"""Where the store is: what an operator writes, and what the drivers want to hear."""

from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from llmgw.store.errors import StoreError

VARIABLE = "LLMGW_DATABASE_URL"
"""The environment variable that wins over the settings file."""

_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+asyncpg",
    "postgres": "postgresql+asyncpg",
}


def read_url(text: str) -> URL:
    """The address of a database, with the driver that is used for it.

    Raises:
        StoreError: it is none that llmgw can use. The text never holds the password.
    """
    try:
        url = make_url(text)
    except ArgumentError:
        raise StoreError("the store's address is no URL: sqlite:////path or postgresql://…") from None
    kind = url.drivername.partition("+")[0]
    if kind not in _DRIVERS:
        raise StoreError(f"the store cannot be at {kind}://…: expected sqlite:////path or postgresql://…")
    if kind == "sqlite" and (not url.database or url.database == ":memory:"):
        raise StoreError("a store in memory would be forgotten: give sqlite:////path")
    if "sslmode" in url.query:  # libpq's word, which the driver does not know
        url = url.difference_update_query(["sslmode"]).update_query_dict({"ssl": url.query["sslmode"]})
    return url.set(drivername=_DRIVERS[kind])


def shown(url: URL) -> str:
    """The address without its password and driver: for logs and errors."""
    return url.set(drivername=url.get_backend_name()).render_as_string(hide_password=True)


def locate(environment: Mapping[str, str], configured: str | None, folder: Path) -> str:
    """The address that counts: the environment's, the settings file's, the file in the state folder."""
    return environment.get(VARIABLE) or configured or default_url(folder)


def default_url(folder: Path) -> str:
    """The file in the state folder that is used unless another store is named."""
    return URL.create("sqlite", database=str(folder.absolute() / "llmgw.db")).render_as_string()
