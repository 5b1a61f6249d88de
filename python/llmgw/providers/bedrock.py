"""Bedrock: Converse, signed with an AWS access key or with a Bedrock API key."""

import re
from urllib.parse import urlsplit

import msgspec

from llmgw.model import Operation
from llmgw.providers.anthropic import takes_schema
from llmgw.providers.aws_credentials import AccessKey, check_library, fetch_key, given_key, profile_region
from llmgw.providers.base import (
    Signing,
    Target,
    TargetError,
    Upstream,
    checked_base,
    first_variable,
    header_secret,
)
from llmgw.providers.leases import Leases
from llmgw.providers.names import geography
from llmgw.settings.environment import Environment
from llmgw.settings.secrets import Secret

_REGIONS = ("AWS_REGION_NAME", "AWS_REGION", "AWS_DEFAULT_REGION")
_REGION = re.compile(r"[a-z]{2,}(-[a-z0-9]+){2,}")
_ROUTES = ("converse/", "invoke/")
"""LiteLLM's ways of naming an API in the model; there is one here, and it serves both."""
_CLAUDE = re.compile(r"(?:^|[./])(claude-[a-z0-9-]+)")
_PROFILE = ":application-inference-profile/"
_OPAQUE = (
    "the ARN does not say which model this is: until model_info.base_model does, it is sent what every model"
    " takes, without thinking and marks for the prompt cache"
)
_SUFFIXES = {
    "cn-": "amazonaws.com.cn",
    "eusc-": "amazonaws.eu",
    "us-iso-": "c2s.ic.gov",
    "us-isob-": "sc2s.sgov.gov",
    "eu-isoe-": "cloud.adc-e.uk",
    "us-isof-": "csp.hci.ic.gov",
}
_SUFFIX = "amazonaws.com"


class Bedrock(msgspec.Struct, frozen=True, kw_only=True):
    """Amazon Bedrock. The model is its id, that of an inference profile, or an ARN. Which model is behind an
    application inference profile, `model_info.base_model` has to say; else it gets what every model takes."""

    leases: Leases = msgspec.field(default_factory=Leases)
    """The temporary access keys at hand."""
    name: str = "bedrock"
    aliases: tuple[str, ...] = ("bedrock_converse", "amazon_bedrock")
    key_variables: tuple[str, ...] = ("AWS_BEARER_TOKEN_BEDROCK",)
    typical_model: str = "claude"

    def connect(self, target: Target, environment: Environment) -> Upstream:
        """URLs and headers for a deployment; see `Provider.connect`."""
        region, model = _region_in(target.model)
        region = region or _region(target, model, environment)
        base = _base(target, region, environment)
        upstream = Upstream(
            model=model,
            urls={Operation.CONVERSE: f"{base}/model/{{model}}/converse"},
            stream_urls={Operation.CONVERSE: f"{base}/model/{{model}}/converse-stream"},
            headers=(),
            original=True,
            takes_urls=False,
            region=_served_in(region, model),
            native_schema=_takes_schema(model if target.base_model is None else target.known_as),
            warning=_OPAQUE if target.base_model is None and _PROFILE in model else None,
        )
        if (token := self._bearer(target, base, environment)) is not None:
            value = header_secret(token, "api_key")
            return msgspec.structs.replace(upstream, headers=(("authorization", f"Bearer {value}"),))
        return self._signed(upstream, target, region, environment)

    def _bearer(self, target: Target, base: str, environment: Environment) -> Secret | None:
        """The API key of the file; of the environment, if the file names nobody else and no other address."""
        if (key := target.api_key or target.aws.aws_bearer_token_bedrock) is not None:
            return key
        access = target.aws
        others = (access.aws_access_key_id, access.aws_profile_name, access.aws_role_name)
        ours = (urlsplit(base).hostname or "").endswith((_SUFFIX, *_SUFFIXES.values()))
        value = first_variable(self.key_variables, environment)
        return Secret(value) if value and ours and not any(others) else None

    def _signed(self, upstream: Upstream, target: Target, region: str, environment: Environment) -> Upstream:
        access = target.aws
        given = given_key(access, environment)
        if access.aws_web_identity_token is not None and access.aws_role_name is None:
            raise TargetError("aws_role_name", "a web identity token needs the role to assume")
        if given is not None and access.aws_role_name is None:
            return msgspec.structs.replace(upstream, signing=_signing(region, given))
        check_library()
        held = self.leases.get(
            ("aws", access, given, region), lambda: fetch_key(access, region, given, environment)
        )
        return msgspec.structs.replace(
            upstream,
            signing=None if held.value is None else _signing(region, held.value),
            renew_at=held.renew_at,
            credential_problem=held.problem,
        )


def _signing(region: str, key: AccessKey) -> Signing:
    return Signing(
        region=region,
        service="bedrock",
        access_key_id=key.id,
        secret_access_key=key.secret,
        session_token=key.session_token,
    )


def _region_in(model: str) -> tuple[str | None, str]:
    """Region and model of `us-east-1/MODEL`, without LiteLLM's name of the API before them."""
    for route in _ROUTES:
        model = model.removeprefix(route)
    first, slash, rest = model.partition("/")
    if slash and _REGION.fullmatch(first):
        return first, rest
    return None, model


def _region(target: Target, model: str, environment: Environment) -> str:
    """The region to call."""
    access = target.aws
    in_arn = model.split(":")[3] if model.startswith("arn:") and model.count(":") > 3 else None
    region = (
        access.aws_region_name
        or in_arn
        or first_variable(_REGIONS, environment)
        or profile_region(access, environment)
    )
    if not region:
        raise TargetError("aws_region_name", "no region: set AWS_REGION, or give aws_region_name")
    if not _REGION.fullmatch(region):
        raise TargetError("aws_region_name", "expected a region such as eu-central-1")
    return region


def _served_in(region: str, model: str) -> str | None:
    """Where a model is served that is called in this region. A cross-region profile is served anywhere in its
    geography; of the others, and of whatever a pattern stands for, nothing is known."""
    if "*" in model or _PROFILE in model:
        return None
    return geography(model) or region


def _base(target: Target, region: str, environment: Environment) -> str:
    written = target.api_base or target.aws.aws_bedrock_runtime_endpoint
    written = written or first_variable(("AWS_BEDROCK_RUNTIME_ENDPOINT",), environment)
    suffix = next((suffix for start, suffix in _SUFFIXES.items() if region.startswith(start)), _SUFFIX)
    return checked_base(written or f"https://bedrock-runtime.{region}.{suffix}")


def _takes_schema(model: str) -> bool:
    """Of the models here, Claude's newer ones are known to take a JSON Schema."""
    found = _CLAUDE.search(model)
    return found is not None and takes_schema(found[1])
