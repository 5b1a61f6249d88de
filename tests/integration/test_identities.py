"""Other ways to be somebody than a key, at a running gateway: tokens, sessions, provisioning."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import KEYS_ENVIRONMENT, deployment, gateway_config
from tests.directory_feed import DirectoryFeed, node
from tests.gateway_process import JSON_TYPE, MASTER_KEY, GatewayProcess, chat_body, wait_until
from tests.raw_http import Response, exchange, request_bytes
from tests.upstreams.identity_provider import CLIENT, SECRET, IdentityProvider
from tests.upstreams.scripted import ScriptedUpstream

WORKERS = 2
SOON_SECONDS = 1.0


class House:
    """A gateway that takes an identity provider's word."""

    def __init__(self, folder: Path, provider: IdentityProvider, upstream: ScriptedUpstream) -> None:
        self.provider = provider
        self.feed: DirectoryFeed | None = None
        rule = {
            "issuer": provider.url,
            "audiences": [CLIENT],
            "algorithms": ["ES256"],
            "claims": {"user": "sub", "team": "team", "role": "groups"},
            "roles": [{"value": "llm-admins", "role": "admin", "on": "platform"}],
        }
        oidc = {
            "issuer": provider.url,
            "client_id": CLIENT,
            "client_secret": "env:OIDC_SECRET",
            "public_url": "http://127.0.0.1:4000",
            "roles": [{"value": "llm-admins", "role": "admin", "on": "platform"}],
        }
        served = deployment("plain", upstream.base_url)
        config = gateway_config(served, jwt=[rule], oidc=oidc)
        environment = {**KEYS_ENVIRONMENT, "OIDC_SECRET": SECRET}
        self.gateway = GatewayProcess(folder, config, WORKERS, environment)

    def furnish(self) -> DirectoryFeed:
        """Tell every worker of the provider's keys, of a team and of its people."""
        feed = self.feed = self.feed or DirectoryFeed.of(self.gateway)
        feed.begin(self.keys(), node("team", "a"), {**node("user", "alice"), "id": "alice"})
        wait_until(lambda: self.everywhere(self.token(), 200), "every worker knows the issuer")
        return feed

    def keys(self) -> dict[str, Any]:
        """The line that tells of the provider's keys."""
        public = [{**key.as_dict(private=False), "kid": kid} for kid, key in self.provider.keys.items()]
        return {"put": "jwks", "issuer": self.provider.url, "keys": public, "at": time.time_ns() // 1000}

    def token(self, **claims: Any) -> str:
        return self.provider.token(**{"team": "team_a", **claims})

    def chat(self, token: str) -> Response:
        return self.gateway.chat("plain", token)

    def everywhere(self, token: str, status: int) -> bool:
        """Whether several connections, which different workers take, are answered so."""
        return all(self.chat(token).status == status for _ in range(8))

    def ask(
        self, method: str, path: str, headers: list[tuple[str, str]] | None = None, body: bytes | None = None
    ) -> Response:
        return exchange(self.gateway.port, request_bytes(method, path, headers or [], body))

    def log_in(self) -> tuple[str, str]:
        """The session's cookie of who logs in now, and where they are sent to."""
        begun = self.ask("GET", "/login?next=/console")
        pending = cookie_of(begun, "llmgw-login")
        back = self.provider.authorise(begun.header("location") or "")
        path = "/" + back.partition("://")[2].partition("/")[2]
        done = self.ask("GET", path, [("Cookie", pending)])
        assert done.status == 303, done.body
        return cookie_of(done, "llmgw"), done.header("location") or ""


def cookie_of(reply: Response, name: str) -> str:
    told = [value for header, value in reply.headers if header == "set-cookie"]
    return next(value.partition(";")[0] for value in told if value.startswith(f"{name}="))


@pytest.fixture(scope="module")
def house(
    tmp_path_factory: pytest.TempPathFactory,
    upstream_servers: tuple[ScriptedUpstream, ScriptedUpstream],
) -> Iterator[House]:
    provider = IdentityProvider()
    house = House(tmp_path_factory.mktemp("identities"), provider, upstream_servers[0])
    with house.gateway, house.gateway.without_bookkeeper():
        yield house
    provider.close()


@pytest.fixture(autouse=True)
def as_alice(house: House) -> None:
    house.provider.user["groups"] = ["llm-users"]


def test_a_token_chats_as_the_user_that_it_names(house: House) -> None:
    house.furnish()
    reply = house.chat(house.token())
    assert reply.status == 200
    assert any('key_alias="jwt:alice"' in name for name in house.gateway.metrics())


def test_a_token_of_nobody_is_denied_and_a_forged_one_is_nobodys(house: House) -> None:
    house.furnish()
    denied = house.chat(house.token(sub="mallory"))
    assert (denied.status, denied.error()["type"]) == (403, "permission_error")
    for token in (
        house.token(iss="https://evil.example"),
        house.token(aud="other"),
        house.token(exp=1),
        house.token()[:-4] + "AAAA",
        house.token() + ".x",
    ):
        refused = house.chat(token)
        assert (refused.status, refused.error()["type"]) == (401, "authentication_error")


def test_two_tokens_that_begin_alike_are_two_principals(house: House) -> None:
    feed = house.furnish()
    feed.append({**node("user", "bob"), "id": "bob", "blocked": True})
    padding = {"aaa": "x" * 200}
    alice, bob = house.token(**padding), house.token(**padding, sub="bob")
    wait_until(lambda: house.everywhere(bob, 403), "bob is known, and blocked")
    for _ in range(8):
        assert (house.chat(alice).status, house.chat(bob).status) == (200, 403)


def test_a_block_reaches_every_worker_within_a_second(house: House) -> None:
    feed = house.furnish()
    token = house.token()
    assert house.everywhere(token, 200)
    blocked = {**node("user", "alice"), "id": "alice", "blocked": True}
    feed.append(blocked)
    wait_until(lambda: house.everywhere(token, 403), "alice is blocked", SOON_SECONDS)
    feed.append({**blocked, "blocked": False})
    wait_until(lambda: house.everywhere(token, 200), "alice is back", SOON_SECONDS)


def test_an_unknown_key_is_noted_for_whoever_fetches_keys(house: House) -> None:
    feed = house.furnish()
    wanted = feed.shared.wanted_issuer_keys
    house.provider.roll_over()
    token = house.token()
    assert house.chat(token).status == 401
    assert feed.shared.wanted_issuer_keys == wanted + 1
    feed.append(house.keys())
    wait_until(lambda: house.everywhere(token, 200), "the new key has come", SOON_SECONDS)


def test_people_log_in_see_who_they_are_and_log_out_everywhere(house: House) -> None:
    session, next = house.log_in()
    assert next == "/console"
    me = house.ask("GET", "/me", [("Cookie", session)])
    assert (me.status, me.json()["name"], me.json()["grants"]) == (200, "alice@example.com", [])
    assert (me.json()["session"], me.header("cache-control")) == (True, "no-store")
    unasked = house.ask("POST", "/logout", [("Cookie", session)], b"")
    assert unasked.status == 403, "another site's form cannot log anybody out"
    out = house.ask("POST", "/logout", [("Cookie", session), ("x-llmgw-csrf", "1")], b"")
    assert out.status == 204
    assert {house.ask("GET", "/me", [("Cookie", session)]).status for _ in range(8)} == {401}


def test_groups_give_roles_in_the_admin_api_and_lose_them(house: House) -> None:
    house.provider.user["groups"] = ["llm-admins"]
    session, _ = house.log_in()
    assert house.ask("GET", "/api/v1/organisations", [("Cookie", session)]).status == 200
    body = json.dumps({"name": f"acme-{time.time_ns()}"}).encode()
    asked = [("Cookie", session), JSON_TYPE]
    assert house.ask("POST", "/api/v1/organisations", asked, body).status == 403
    made = house.ask("POST", "/api/v1/organisations", [*asked, ("x-llmgw-csrf", "1")], body)
    assert made.status == 201, made.body
    house.provider.user["groups"] = []
    house.log_in()
    assert house.ask("GET", "/api/v1/organisations", [("Cookie", session)]).status == 403


def test_a_token_gives_roles_in_the_admin_api(house: House) -> None:
    feed = house.furnish()
    feed.append({"drop": "alice"})
    rule = house.token(sub="team_a", groups=["llm-admins"])
    assert house.chat(rule).status == 403, "the user is not known any more"
    for path in ("/api/v1/organisations", "/scim/v2/Users", "/me"):
        assert house.ask("GET", path, [("Authorization", f"Bearer {rule}")]).status == 403


def test_provisioning_takes_the_permission_for_it(house: House) -> None:
    for key, status in ((MASTER_KEY, 200), ("nobodys-key-0123456789", 401), ("x.y.z", 401)):
        reply = house.ask("GET", "/scim/v2/Users", [("Authorization", f"Bearer {key}")])
        assert (reply.status, reply.header("content-type")) == (status, "application/scim+json")
    made = house.ask(
        "POST",
        "/scim/v2/Users",
        [("Authorization", f"Bearer {MASTER_KEY}"), ("Content-Type", "application/scim+json")],
        b'{"userName": "carol@example.com"}',
    )
    assert (made.status, made.json()["userName"]) == (201, "carol@example.com")


@pytest.mark.parametrize(
    "shown",
    [
        "",
        "Bearer ",
        "Bearer null",
        "Bearer eyJ.eyJ.",
        "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9.",
        "Bearer ' OR 1=1 --",
        "Bearer " + "a" * 20_000,
        "Bearer " + "." * 20_000,
        "Basic eA==",
    ],
    ids=lambda shown: str(shown[:20]),
)
def test_whatever_else_is_shown_is_nobody(house: House, shown: str) -> None:
    for path in ("/v1/models", "/api/v1/keys", "/scim/v2/Users", "/me"):
        assert house.ask("GET", path, [("Authorization", shown)]).status in (401, 403), path
    told = [("Authorization", shown), JSON_TYPE]
    body = json.dumps(chat_body("plain")).encode()
    assert house.ask("POST", "/v1/chat/completions", told, body).status == 401


def test_nothing_that_was_shown_stands_in_the_log(house: House) -> None:
    house.furnish()
    token = house.token()
    house.chat(token)
    session, _ = house.log_in()
    log = house.gateway.log()
    for secret in (token, token.rpartition(".")[2], session.partition("=")[2], SECRET):
        assert secret not in log
    assert not re.search(r"eyJ[A-Za-z0-9_-]{20}", log)
