"""Issuers of tokens, as the native core checks them."""

from pathlib import Path as File

import msgspec

from llmgw.gateway.snapshot import JwtClaims, JwtDefaults, JwtRole, JwtRule
from llmgw.settings.identity import JwtEntry
from llmgw.settings.problems import Report
from llmgw.settings.schema import Settings

_LONGEST_FILE = 1024 * 1024


def compile_jwt(settings: Settings, report: Report) -> tuple[JwtRule, ...]:
    """The rules, in the order of the file; key files that cannot be read are reported."""
    return tuple(_rule(entry, index, report) for index, entry in enumerate(settings.jwt))


def _rule(entry: JwtEntry, index: int, report: Report) -> JwtRule:
    for claim, values in entry.when.items():
        if any(value.count("*") > 1 for value in values):
            report.error(("jwt", index, "when", claim), "only one '*' is allowed")
    for position, role in enumerate(entry.roles):
        if role.value.count("*") > 1:
            report.error(("jwt", index, "roles", position, "value"), "only one '*' is allowed")
    claims, defaults = entry.claims, entry.defaults
    return JwtRule(
        issuer=entry.issuer,
        audiences=entry.audiences,
        algorithms=entry.algorithms,
        keys=None if entry.jwks_file is None else _keys(entry.jwks_file, index, report),
        leeway=entry.leeway,
        max_lifetime=entry.max_lifetime,
        required=entry.required,
        when=tuple(entry.when.items()),
        claims=JwtClaims(
            organisation=claims.organisation,
            team=claims.team,
            project=claims.project,
            user=claims.user,
            service_account=claims.service_account,
            role=claims.role,
            models=claims.models,
            tags=claims.tags,
        ),
        defaults=JwtDefaults(
            organisation=defaults.organisation,
            team=defaults.team,
            project=defaults.project,
            user=defaults.user,
        ),
        find_by=entry.find_by,
        roles=tuple(JwtRole(value=one.value, role=one.role, on=one.on, id=one.id) for one in entry.roles),
    )


def _keys(name: str, index: int, report: Report) -> dict[str, object]:
    path = ("jwt", index, "jwks_file")
    try:
        with File(name).open("rb") as file:
            text = file.read(_LONGEST_FILE)
        return msgspec.json.decode(text, type=dict[str, object])
    except (OSError, msgspec.DecodeError):
        report.error(path, f"{name} cannot be read as a JSON Web Key Set")
        return {}
