"""Credentials: what the gateway shows to providers, sealed, each for one origin."""

from urllib.parse import urlsplit

import msgspec
import sqlalchemy as sa

from llmgw.settings.secrets import Secret
from llmgw.store import ids, sealing
from llmgw.store.errors import Missing
from llmgw.store.kept import Kept
from llmgw.store.keyring import Keyring
from llmgw.store.noun import Noun, Refused
from llmgw.store.scope import Scope
from llmgw.store.sealing import Bound
from llmgw.store.tables import credentials as table
from llmgw.store.transaction import Transaction

_PORTS = {"https": 443, "http": 80}


class Credential(Kept, frozen=True, kw_only=True):
    """What may be told of a credential."""

    name: str
    provider: str
    origin: str
    """Scheme, host and port that it may be sent to, as `origin_of` writes them."""
    organisation_id: str | None = None
    """Whose it is; without one, the platform's."""
    kek_id: str = ""
    """Which of the gateway's keys it is sealed under."""


class _Row(Credential, frozen=True, kw_only=True):
    sealed: bytes


_credentials = Noun(
    "credential",
    "cred",
    table,
    Credential,
    fixed=("organisation_id", "origin", "kek_id"),
    filters=("name", "provider", "origin", "organisation_id"),
)
_rows = Noun("credential", "cred", table, _Row, hidden=("sealed",))

find = _credentials.find
get = _credentials.get
page = _credentials.page
count = _credentials.count
update = _credentials.update
remove = _credentials.remove


def origin_of(url: str) -> str:
    """Scheme, host and port of a URL: `https://api.openai.com:443`.

    Raises:
        Refused: it has none.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        raise Refused("the address is no URL") from None
    if parts.scheme not in _PORTS or not parts.hostname or port is None:
        raise Refused("a credential is for an https or http address")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}:{port}"


async def create(
    tx: Transaction, scope: Scope, credential: Credential, secret: Secret, keyring: Keyring
) -> Credential:
    """Add a credential; its secret is never told again.

    Raises:
        Missing: it would belong where the caller does not reach.
        Conflict: the name is taken.
    """
    id = ids.new("cred")
    kek = keyring.current
    sealed = sealing.seal(kek, Bound("credential", id, credential.origin), secret)
    fields = {**msgspec.structs.asdict(credential), "id": id, "kek_id": kek.name}
    made = await _rows.create(tx, scope, _Row(**fields, sealed=sealed))
    return _public(made)


async def replace(
    tx: Transaction, scope: Scope, id: str, secret: Secret, keyring: Keyring, version: int | None = None
) -> Credential:
    """Give a credential another secret.

    Raises:
        Missing, Stale: as for every noun.
    """
    held = await _rows.hold(tx, scope, id, version)
    kek = keyring.current
    sealed = sealing.seal(kek, Bound("credential", id, held.origin), secret)
    return _public(await _rows.change(tx, scope, held, {"sealed": sealed, "kek_id": kek.name}, "replace"))


async def open_(tx: Transaction, id: str, origin: str, keyring: Keyring) -> Secret:
    """The secret, for whoever is about to send it to this origin; for the gateway itself.

    Raises:
        Missing: there is no such credential.
        Unsealable: it is for another origin, or its bytes or the keys are not what they were.
    """
    row = await tx.first(sa.select(table.c.sealed).where(table.c.id == id))
    if row is None:
        raise Missing("credential", id)
    return sealing.unseal(keyring, Bound("credential", id, origin), row.sealed)


async def rewrap(tx: Transaction, keyring: Keyring, limit: int = 500) -> int:
    """Put credentials that are under older keys under the present one; how many, 0 when none is left.

    Those who read meanwhile find either wrapping, and open both. No version moves: what is in it is the same.
    """
    kek = keyring.current
    query = sa.select(table.c.id, table.c.origin, table.c.sealed).where(table.c.kek_id != kek.name)
    rows = await tx.rows(query.order_by(table.c.id).limit(limit).with_for_update())
    for row in rows:
        sealed = sealing.rewrap(keyring, kek, Bound("credential", row.id, row.origin), row.sealed)
        fields = {"sealed": sealed, "kek_id": kek.name}
        await tx.execute(sa.update(table).where(table.c.id == row.id).values(**fields))
    return len(rows)


async def keys_in_use(tx: Transaction) -> set[bytes]:
    """The ids of the gateway's keys that credentials are under."""
    return {bytes.fromhex(row.kek_id) for row in await tx.rows(sa.select(table.c.kek_id).distinct())}


def _public(row: _Row) -> Credential:
    fields = msgspec.structs.asdict(row)
    fields.pop("sealed")
    return Credential(**fields)
