"""`/api/v1/models`: deployments that are defined here instead of in the settings file."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from llmgw.access.rbac import Permission
from llmgw.endpoints.api.calls import Call
from llmgw.endpoints.api.credentials import Url
from llmgw.endpoints.api.nouns import Noun
from llmgw.endpoints.api.records import Listed, Shown
from llmgw.endpoints.api.words import Name, Word
from llmgw.endpoints.problems import Fault, Kind, Problem
from llmgw.settings.secrets import is_reference
from llmgw.store import credentials, models

Seconds = Annotated[float, Meta(gt=0, le=86_400)]
Rate = Annotated[int, Meta(ge=1, le=2**53)]
Tokens = Annotated[int, Meta(ge=1, le=2**53)]
Price = Annotated[float, Meta(ge=0, le=1_000)]
Share = Annotated[float, Meta(ge=0, le=1e9)]


class ModelInfo(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Facts of the deployment, as `model_info` has them in the settings file."""

    id: Word | None = None
    mode: Word | None = None
    base_model: Word | None = None
    region: Word | None = None
    max_input_tokens: Tokens | None = None
    max_output_tokens: Tokens | None = None
    input_cost_per_token: Price | None = None
    """Dollars, as the next five."""
    output_cost_per_token: Price | None = None
    cache_read_input_token_cost: Price | None = None
    cache_creation_input_token_cost: Price | None = None
    output_cost_per_reasoning_token: Price | None = None
    input_cost_per_audio_token: Price | None = None


class Params(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """How the deployment is reached, as `params` in the settings file, without secrets."""

    model: Word
    """`provider/model`."""
    api_base: Url | None = None
    api_version: Word | None = None
    organization: Word | None = None
    vertex_project: Word | None = None
    vertex_location: Word | None = None
    aws_region_name: Word | None = None
    timeout: Seconds | None = None
    stream_timeout: Seconds | None = None
    total_timeout: Seconds | None = None
    rpm: Rate | None = None
    tpm: Rate | None = None
    weight: Share | None = None
    order: Annotated[int, Meta(ge=0, le=1_000_000)] | None = None


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A deployment: an entry of `model_list` without its name and its secrets."""

    params: Params
    model_info: ModelInfo | None = None


class NewModel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A deployment that is to be made."""

    name: Word
    """The model group that it belongs to: the name that clients use."""
    entry: Entry
    credential_id: Word | None = None
    """What it shows to the provider: a credential for that address."""
    organisation_id: Word | None = None
    """For good."""
    blocked: bool = False


class ModelChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be changed."""

    name: Word | msgspec.UnsetType = msgspec.UNSET
    entry: Entry | msgspec.UnsetType = msgspec.UNSET
    credential_id: Word | msgspec.UnsetType | None = msgspec.UNSET
    blocked: bool | msgspec.UnsetType = msgspec.UNSET


class Model(Shown, frozen=True, kw_only=True):
    """A deployment."""

    name: str
    entry: dict[str, Any]
    credential_id: str | None
    organisation_id: str | None
    blocked: bool


class ModelList(Listed, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which deployments to list."""

    name: Word | None = None
    organisation_id: Word | None = None
    credential_id: Word | None = None
    blocked: bool | None = None
    search: Name | None = None
    """A part of the name."""


async def _check(call: Call, noun: Noun, model: models.Model, fields: set[str]) -> None:
    """No entry leads into the gateway's own environment, and no credential to another address."""
    entry = msgspec.to_builtins(getattr(call.body, "entry", None) or {}, str_keys=True)
    if entry is not msgspec.UNSET and any(is_reference(text) for text in _texts(entry)):
        detail = "References to variables and files are for settings files."
        raise Problem(Kind.INVALID_BODY, detail, [Fault("/entry", detail)])
    await _check_credential(call, model)


async def _check_credential(call: Call, model: models.Model) -> None:
    body = call.body
    named = getattr(body, "credential_id", None)
    id = model.credential_id if named is None or named is msgspec.UNSET else named
    entry = getattr(body, "entry", None)
    params = entry.params if isinstance(entry, Entry) else None
    base = params.api_base if params else (model.entry.get("params") or {}).get("api_base")
    if id is None:
        return
    credential = await credentials.get(call.tx, call.scope, id)
    if base is not None and credentials.origin_of(base) != credential.origin:
        detail = f"This credential is for {credential.origin}."
        raise Problem(Kind.INVALID_BODY, detail, [Fault("/credential_id", detail)])


def _texts(value: Any) -> list[str]:
    match value:
        case str():
            return [value]
        case dict():
            return [text for each in value.values() for text in _texts(each)]
        case _:
            return []


NOUN = Noun(
    kind="model",
    path="/api/v1/models",
    shelf=models,
    record=models.Model,
    body=NewModel,
    change=ModelChange,
    shown=Model,
    listed=ModelList,
    read=Permission.MODELS_READ,
    write=Permission.MODELS_WRITE,
    guarded={},
    check=_check,
)
