"""Issuers of tokens and logins, from the settings to what is served from."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from llmgw import _native
from llmgw.gateway.snapshot import JwtRole
from llmgw.settings.identity import JwtEntry, OidcSettings, is_safe_url
from llmgw.settings.problems import SettingsError
from tests.unit.configurations import compiled

LONG = "a-long-enough-key-0123456789"

ISSUER = "issuer: https://login.example, audiences: [llmgw], claims: {user: sub}"


def test_a_rule_is_handed_over_as_it_is_written() -> None:
    text = f"jwt: [{{{ISSUER}, algorithms: [ES256], when: {{hd: [acme, 'a*']}}, leeway: 5}}]"
    [rule] = compiled(text).jwt
    assert (rule.issuer, rule.algorithms, rule.leeway) == ("https://login.example", ("ES256",), 5)
    assert (rule.claims.user, rule.when) == ("sub", (("hd", ("acme", "a*")),))
    assert rule.keys is None


def test_roles_by_claim_are_handed_over() -> None:
    roles = "roles: [{value: 'g*', role: viewer, on: team}]"
    text = f"jwt: [{{issuer: https://a.example, audiences: [x], claims: {{user: sub, role: g}}, {roles}}}]"
    assert compiled(text).jwt[0].roles == (JwtRole(value="g*", role="viewer", on="team", id=None),)


def test_the_native_core_takes_the_rules(tmp_path: Path) -> None:
    key = {"kty": "OKP", "crv": "Ed25519", "kid": "1", "x": "A" * 43}
    file = tmp_path / "keys.json"
    file.write_text(json.dumps({"keys": [key]}))
    _native.check_snapshot(compiled(f"jwt: [{{{ISSUER}, jwks_file: {file}}}]").encode())
    file.write_text(json.dumps({"keys": []}))
    with pytest.raises(ValueError, match="holds no usable key"):
        _native.check_snapshot(compiled(f"jwt: [{{{ISSUER}, jwks_file: {file}}}]").encode())


@pytest.mark.parametrize(
    "entry",
    [
        f"{ISSUER}, jwks_file: /nowhere/keys.json",
        f"{ISSUER}, when: {{hd: ['a*b*']}}",
        "issuer: https://a.example, audiences: [x], claims: {user: sub, role: g}, "
        "roles: [{value: '**', role: viewer}]",
    ],
)
def test_what_cannot_be_used_is_told(entry: str) -> None:
    with pytest.raises(SettingsError, match=r"jwt\[0\]"):
        compiled(f"jwt: [{{{entry}}}]")


USUAL: dict[str, Any] = {
    "issuer": "https://login.example",
    "audiences": ["llmgw"],
    "claims": {"user": "sub"},
}


@pytest.mark.parametrize(
    "change",
    [
        {"audiences": []},
        {"algorithms": []},
        {"algorithms": ["none"]},
        {"algorithms": ["HS256"]},
        {"issuer": "http://login.example"},
        {"jwks_uri": "http://login.example/keys"},
        {"jwks_uri": "https://u:p@login.example/keys"},
        {"jwks_uri": "https://a.example", "jwks_file": "keys.json"},
        {"claims": {}},
        {"claims": {"models": "m"}},
        {"roles": [{"value": "g", "role": "viewer"}]},
        {"leeway": 4000},
        {"when": {"hd": []}},
    ],
    ids=str,
)
def test_rules_that_would_let_in_too_many_are_refused(change: dict[str, Any]) -> None:
    msgspec.convert(USUAL, JwtEntry)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({**USUAL, **change}, JwtEntry)


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": "http://login.example"},
        {"public_url": "http://llm.example"},
        {"public_url": "https://llm.example/path"},
        {"scopes": ["email"]},
        {"algorithms": ["HS256"]},
    ],
    ids=str,
)
def test_logins_that_would_not_be_safe_are_refused(change: dict[str, Any]) -> None:
    usual = {"issuer": "https://login.example", "client_id": "c", "public_url": "https://llm.example"}
    msgspec.convert(usual, OidcSettings)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({**usual, **change}, OidcSettings)


def test_plain_http_is_for_this_machine_alone() -> None:
    safe = ("https://a.example/x", "http://127.0.0.1:1/x", "http://localhost", "http://[::1]/x")
    unsafe = (
        "http://a.example",
        "http://127.0.0.1.a.example",
        "https://a@b",
        "https://",
        "ftp://a",
        "https://a?b",
    )
    assert [is_safe_url(url) for url in safe] == [True] * len(safe)
    assert [is_safe_url(url) for url in unsafe] == [False] * len(unsafe)


def test_a_key_may_be_known_by_certificates_alone() -> None:
    text = "keys: [{alias: a, certificates: ['uri:spiffe://acme/a']}, {alias: b, certificates: ['dns:b']}]"
    keys = compiled(text).auth.keys
    assert [key.certificates for key in keys[1:]] == [("uri:spiffe://acme/a",), ("dns:b",)]
    assert len({key.digest for key in keys}) == 3
    assert compiled(text).version == compiled(text).version


def test_a_key_without_anything_to_be_known_by_is_refused() -> None:
    with pytest.raises(SettingsError, match="certificates"):
        compiled("keys: [{alias: a}]")
    with pytest.raises(SettingsError, match="certificates"):
        compiled(f"keys: [{{alias: a, key: {LONG}, certificates: ['cn:a']}}]")
