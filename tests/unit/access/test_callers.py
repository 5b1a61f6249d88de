"""Who calls: every way to authenticate ends in a principal or in a refusal, whatever fails on the way."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from llmgw import _native
from llmgw._native import Refused
from llmgw.access import callers, keyholders, tokens
from llmgw.access import sessions as own_sessions
from llmgw.access.callers import Callers
from llmgw.access.oidc import Person
from llmgw.access.principal import PrincipalKind
from llmgw.access.terms import OidcOptions
from llmgw.errors import LlmgwError, PermissionDenied, Unauthenticated
from llmgw.settings.secrets import Secret
from llmgw.store import groups, keys, memberships, sessions, users
from llmgw.store.database import Store
from llmgw.store.keys import Key
from llmgw.store.scope import Scope
from llmgw.store.upgrade import upgrade
from llmgw.store.users import User

PEPPER = Secret("11" * 32)
KEY = "a-key-of-the-store-0123456789"
TOKEN = b"eyJ.token.x"
TERMS = OidcOptions(
    issuer="https://login.example",
    client_id="llmgw",
    client_secret=None,
    public_url="https://llm.example",
    scopes=("openid",),
    algorithms=("RS256",),
    email_claim="email",
    name_claim="name",
    groups_claim="groups",
    allowed_domains=(),
    create_users=True,
    organisation=None,
    roles=(),
    session_idle=3600.0,
    session_lifetime=36000.0,
    ca_file=None,
)
NODES = {"organisation": None, "team": "team_1", "project": None, "service_account": None}


class Native:
    """The data plane's idea of who shows what."""

    def __init__(self, **known: Any) -> None:
        self.known = known
        self.roles: list[dict[str, Any]] = []

    def authenticate(self, key: bytes | None, client: str | None, certificate: str | None) -> Any:
        shown = certificate or (key or b"").decode()
        if shown not in self.known:
            raise Refused("Unauthenticated", "not known here")
        return self.known[shown]

    def read_token(self, token: bytes) -> bytes:
        return msgspec.json.encode({"subject": "alice", "roles": self.roles, "until": 1})


def holder(id: str, alias: str = "alias", user: str | None = None) -> SimpleNamespace:
    return SimpleNamespace(id=id, alias=alias, user=user, **NODES)


class Door:
    """Callers over a real store: a key, a token, a session and a certificate of one person."""

    def __init__(self, store: Store, user: User, key: Key, cookie: str) -> None:
        self.native = Native(
            master=holder("master"),
            **{
                KEY: holder(key.id),
                TOKEN.decode(): holder("jwt:1:2", user=user.id),
                "ab": holder(key.id),
                "file-key": holder("file:app"),
            },
        )
        self.user, self.key, self._cookie = user, key, cookie
        self._callers = Callers(self.native, store, PEPPER, TERMS)  # type: ignore[arg-type]

    async def by_key(self, key: bytes = KEY.encode()) -> Any:
        return (await self._callers.identify(key, None, roles=True)).principal

    async def by_token(self) -> Any:
        return (await self._callers.identify(TOKEN, None, roles=True)).principal

    async def by_certificate(self) -> Any:
        return (await self._callers.identify(None, None, roles=True, certificate="ab")).principal

    async def by_session(self) -> Any:
        return (await self._callers.of_session(self._cookie)).principal


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    store = Store.open(f"sqlite:///{tmp_path}/llmgw.db")
    await upgrade(store)
    person = Person(issuer="https://login.example", subject="alice", email=None, name="Alice", groups=())
    begun = await own_sessions.Sessions(store, TERMS).begin(person, None, None)
    async with store.begin() as tx:
        key = Key(alias="k", user_id=begun.user.id, admin_role="viewer")
        made = await keys.create(tx, Scope.all(), key, _native.key_digest(PEPPER.reveal(), KEY))
    yield Door(store, begun.user, made, f"__Host-llmgw={begun.value}")
    await store.close()


async def test_every_way_leads_to_the_same_person(door: Door) -> None:
    for principal in (
        await door.by_key(),
        await door.by_token(),
        await door.by_certificate(),
        await door.by_session(),
    ):
        assert (principal.kind, principal.id) == (PrincipalKind.USER, door.user.id)


async def test_a_token_that_names_no_user_is_a_principal_of_its_own(door: Door) -> None:
    door.native.known[TOKEN.decode()] = holder("jwt:1:2")
    door.native.roles = [
        {"value": "g", "role": "viewer", "on": "team", "id": None},
        {"value": "g", "role": "admin", "on": "organisation", "id": None},
    ]
    principal = await door.by_token()
    assert (principal.kind, principal.id, principal.name) == (PrincipalKind.JWT, "jwt:1:2", "alice")
    held = [(grant.role.value, grant.scope_id) for grant in principal.grants]
    assert held == [("viewer", "team_1")], "an organisation that is not named gives no role"


async def test_keys_of_the_settings_have_no_role(door: Door) -> None:
    assert (await door.by_key(b"file-key")).grants == ()


def raising(error: Exception) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> Any:
        raise error

    return fail


STEPS: dict[str, list[tuple[Any, str]]] = {
    "by_key": [
        (Native, "authenticate"),
        (callers, "holder_in_store"),
        (Store, "read"),
        (keys, "find_by_digest"),
        (keyholders, "_check_owners"),
        (keyholders, "check_address"),
        (keyholders, "grant_of_key"),
        (_native, "key_digest"),
    ],
    "by_token": [
        (Native, "authenticate"),
        (Native, "read_token"),
        (callers, "principal_of_token"),
        (tokens, "by_claims"),
        (tokens, "check_person"),
        (tokens, "grants_of"),
        (Store, "read"),
        (users, "find"),
        (memberships, "of_user"),
        (groups, "of_user"),
    ],
    "by_certificate": [(Native, "authenticate"), (callers, "holder_of"), (keys, "find"), (Store, "read")],
    "by_session": [
        (own_sessions, "_digest"),
        (sessions, "find"),
        (users, "find"),
        (own_sessions, "check_person"),
        (own_sessions, "grants_of"),
        (own_sessions, "principal_of"),
        (Store, "read"),
    ],
}


@pytest.mark.parametrize(
    ("way", "place", "step"),
    [(way, place, step) for way, steps in STEPS.items() for place, step in steps],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
@pytest.mark.parametrize(
    "error", [RuntimeError("x"), KeyError("x"), ValueError("x"), TimeoutError()], ids=repr
)
async def test_a_failure_in_any_step_makes_the_caller_nobody(
    door: Door, monkeypatch: pytest.MonkeyPatch, way: str, place: Any, step: str, error: Exception
) -> None:
    monkeypatch.setattr(place, step, raising(error))
    with pytest.raises(Unauthenticated):
        await getattr(door, way)()


@pytest.mark.parametrize("way", STEPS)
async def test_what_is_foreseen_keeps_its_meaning(
    door: Door, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setattr(Store, "read", raising(PermissionDenied("no")))
    with pytest.raises(LlmgwError) as caught:
        await getattr(door, way)()
    assert isinstance(caught.value, PermissionDenied)


@pytest.mark.parametrize("fields", [{"active": False}, {"blocked": True}], ids=str)
async def test_whoever_is_blocked_is_nobody_by_any_way(door: Door, fields: dict[str, object]) -> None:
    async with door._callers._store.begin() as tx:
        await users.update(tx, Scope.all(), door.user.id, fields)
    for way in STEPS:
        with pytest.raises(Unauthenticated, match="blocked"):
            await getattr(door, way)()
