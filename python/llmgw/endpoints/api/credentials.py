"""`/api/v1/credentials`: what is shown to providers. Secrets are written here and never read."""

from typing import Annotated

import msgspec
from msgspec import Meta

from llmgw.access.rbac import Permission
from llmgw.endpoints.api.calls import Answer, Call, row
from llmgw.endpoints.api.desk import Desk
from llmgw.endpoints.api.nouns import Noun, noun_endpoints
from llmgw.endpoints.api.records import Listed, Shown, shown
from llmgw.endpoints.api.words import Name, Word
from llmgw.endpoints.base import Contract, Endpoint
from llmgw.endpoints.problems import Fault, Kind, Problem
from llmgw.settings.secrets import Secret, is_reference
from llmgw.store import credentials

SecretText = Annotated[str, Meta(min_length=1, max_length=16_384, pattern=r"^[^\x00]+$(?!\n)")]
Url = Annotated[str, Meta(min_length=8, max_length=500, pattern=r"^https?://[!-~]+$(?!\n)")]


class NewCredential(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A credential that is to be kept. What it belongs to, and where it may be sent, are for good."""

    name: Name
    provider: Word
    origin: Url
    """An address of the provider; scheme, host and port count."""
    secret: SecretText
    organisation_id: Word | None = None


class CredentialChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be changed."""

    name: Name | msgspec.UnsetType = msgspec.UNSET
    provider: Word | msgspec.UnsetType = msgspec.UNSET


class NewSecret(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another secret for a credential."""

    secret: SecretText


class Credential(Shown, frozen=True, kw_only=True):
    """A credential, without its secret."""

    name: str
    provider: str
    origin: str
    organisation_id: str | None
    kek_id: str
    """Which of the gateway's keys it is sealed under."""


class CredentialList(Listed, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which credentials to list."""

    name: Name | None = None
    provider: Word | None = None
    organisation_id: Word | None = None
    search: Name | None = None
    """A part of the name."""


NOUN = Noun(
    kind="credential",
    path="/api/v1/credentials",
    shelf=credentials,
    record=credentials.Credential,
    body=NewCredential,
    change=CredentialChange,
    shown=Credential,
    listed=CredentialList,
    read=Permission.CREDENTIALS_READ,
    write=Permission.CREDENTIALS_WRITE,
    guarded={},
)


def credential_endpoints(desk: Desk) -> list[Endpoint]:
    """The rows of this noun."""
    made = Contract(body=NewCredential, reply=Credential, status=201, tagged=True)
    rotated = Contract(body=NewSecret, reply=Credential, tagged=True)
    rotate = f"{NOUN.path}/{{id}}/rotate"
    rows = [each for each in noun_endpoints(desk, NOUN) if each.method != "POST"]
    return [
        *rows,
        row(
            desk, "POST", NOUN.path, NOUN.write, "Keep a credential; its secret is never shown.", _make, made
        ),
        row(desk, "POST", rotate, NOUN.write, "Give a credential another secret.", _rotate, rotated),
    ]


async def _make(call: Call) -> Answer:
    body: NewCredential = call.body
    record = credentials.Credential(
        name=body.name,
        provider=body.provider,
        origin=credentials.origin_of(body.origin),
        organisation_id=body.organisation_id,
    )
    secret = _secret(body.secret)
    made = await credentials.create(call.tx, call.scope, record, secret, call.desk.keyring)
    return Answer(value=shown(made, Credential), version=made.version)


async def _rotate(call: Call) -> Answer:
    id, secret = call.parameters["id"], _secret(call.body.secret)
    kept = await credentials.replace(call.tx, call.scope, id, secret, call.desk.keyring, call.version)
    return Answer(value=shown(kept, Credential), version=kept.version)


def _secret(text: str) -> Secret:
    """The secret itself: what leads to the gateway's own environment or files is none.

    Raises:
        Problem: it is a reference.
    """
    if is_reference(text):
        detail = "References to variables and files are for settings files; send the secret itself."
        raise Problem(Kind.INVALID_BODY, detail, [Fault("/secret", detail)])
    return Secret(text)
