"""What users and groups have in common as SCIM's resources."""

from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec
import sqlalchemy as sa

from llmgw.endpoints.scim.errors import bad_value
from llmgw.endpoints.scim.tenant import Tenant
from llmgw.store.database import Transaction
from llmgw.store.kept import Kept

BASE = "/scim/v2"
META = "meta"
"""The attribute that tells of the resource itself."""
CORE = "urn:ietf:params:scim:schemas:core:2.0:"
LONGEST = 512
"""Characters of a name."""


class Found(msgspec.Struct, frozen=True):
    """A resource, and the version that it is at."""

    body: dict[str, Any]
    version: int


class Resource(Protocol):
    """A kind of resource: how it lies in the store, and what it is to SCIM."""

    endpoint: str
    """`Users` or `Groups`."""

    def column(self, path: str) -> Any:
        """The column of an attribute (its path in lower case).

        Raises:
            ScimError: it cannot be filtered by.
        """

    async def page(
        self, tx: Transaction, tenant: Tenant, condition: sa.ColumnElement[bool], offset: int, limit: int
    ) -> tuple[list[dict[str, Any]], int]:
        """Those that fit, from the `offset`th on, and how many fit."""

    async def get(self, tx: Transaction, tenant: Tenant, id: str) -> Found:
        """One of them."""

    async def create(self, tx: Transaction, tenant: Tenant, body: dict[str, Any]) -> Found:
        """Make one."""

    async def replace(
        self, tx: Transaction, tenant: Tenant, id: str, body: dict[str, Any], version: int | None
    ) -> Found:
        """Make one what the body says."""

    async def remove(self, tx: Transaction, tenant: Tenant, id: str, version: int | None) -> None:
        """Remove one."""


def meta(kind: str, endpoint: str, record: Kept) -> dict[str, str]:
    """When a resource was made and changed, its version, and where it is."""
    return {
        "resourceType": kind,
        "created": _time(record.created_at),
        "lastModified": _time(record.updated_at),
        "location": f"{BASE}/{endpoint}/{record.id}",
        "version": etag(record.version),
    }


def etag(version: int) -> str:
    """The weak ETag of a version."""
    return f'W/"{version}"'


def text(body: dict[str, Any], name: str, *, required: bool = False) -> str | None:
    """An attribute that is a short, printable text.

    Raises:
        ScimError: it is something else, or missing.
    """
    value = next((held for own, held in body.items() if own.lower() == name.lower()), None)
    if value is None and not required:
        return None
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST or not value.isprintable():
        raise bad_value(f"{name} has to be a text of up to {LONGEST} characters.")
    return value


def _time(at: int) -> str:
    moment = datetime.fromtimestamp(at / 1_000_000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
