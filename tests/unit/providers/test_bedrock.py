"""Bedrock: with keys as they are given; what botocore finds is in tests/integration."""

import sys
from typing import Any

import pytest

from llmgw.model import Operation
from llmgw.providers import bedrock
from llmgw.providers.aws_credentials import AccessKey
from llmgw.providers.base import AwsAccess, Signing, Target, TargetError, Upstream
from llmgw.providers.bedrock import Bedrock
from llmgw.providers.leases import Lease, LeaseError
from llmgw.settings.environment import Environment
from llmgw.settings.secrets import Secret

MODEL = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"
KEY: dict[str, Any] = {"aws_access_key_id": Secret("AKIA"), "aws_secret_access_key": Secret("secret")}
VARIABLES = {"AWS_ACCESS_KEY_ID": "AKIAENV", "AWS_SECRET_ACCESS_KEY": "of-the-environment"}


def connect(
    model: str = MODEL, environment: dict[str, str] | None = None, **access: str | Secret
) -> Upstream:
    fields: dict[str, Any] = {"aws_region_name": "eu-central-1", **access}
    target = Target(model=model, aws=AwsAccess(**fields))
    return Bedrock().connect(target, Environment(environment or {}))


def host(upstream: Upstream) -> str:
    return upstream.urls[Operation.CONVERSE].split("/")[2]


def test_converse_is_called_and_streams_elsewhere() -> None:
    base = "https://bedrock-runtime.eu-central-1.amazonaws.com/model/{model}"
    upstream = connect(**KEY)
    assert upstream.urls == {Operation.CONVERSE: f"{base}/converse"}
    assert upstream.stream_urls == {Operation.CONVERSE: f"{base}/converse-stream"}


def test_requests_are_signed_with_the_key_of_the_file() -> None:
    upstream = connect(**KEY, aws_session_token=Secret("session"))
    assert upstream.signing == Signing(
        region="eu-central-1",
        service="bedrock",
        access_key_id="AKIA",
        secret_access_key=Secret("secret"),
        session_token=Secret("session"),
    )
    assert (upstream.headers, upstream.renew_at) == ((), None)


def test_the_key_may_stand_in_the_environment() -> None:
    signing = connect(environment=VARIABLES).signing
    assert signing is not None
    assert (signing.access_key_id, signing.session_token) == ("AKIAENV", None)


def test_half_a_key_is_refused() -> None:
    with pytest.raises(TargetError) as caught:
        connect(aws_access_key_id=Secret("AKIA"))
    assert caught.value.field == "aws_secret_access_key"


def test_an_api_key_travels_as_a_bearer_token_and_nothing_is_signed() -> None:
    for upstream in (
        connect(aws_bearer_token_bedrock=Secret("k")),
        connect(environment={"AWS_BEARER_TOKEN_BEDROCK": "k", **VARIABLES}),
    ):
        assert (upstream.headers, upstream.signing) == ((("authorization", "Bearer k"),), None)


def test_an_api_key_of_the_environment_is_not_sent_to_an_address_that_is_not_aws() -> None:
    environment = {"AWS_BEARER_TOKEN_BEDROCK": "canary", **VARIABLES}
    upstream = connect(environment=environment, aws_bedrock_runtime_endpoint="https://elsewhere.example")
    assert upstream.headers == ()
    assert upstream.signing is not None


@pytest.mark.parametrize(
    ("region", "expected"),
    [
        ("us-gov-west-1", "bedrock-runtime.us-gov-west-1.amazonaws.com"),
        ("cn-north-1", "bedrock-runtime.cn-north-1.amazonaws.com.cn"),
        ("eusc-de-east-1", "bedrock-runtime.eusc-de-east-1.amazonaws.eu"),
    ],
)
def test_a_region_tells_the_host(region: str, expected: str) -> None:
    assert host(connect(**{**KEY, "aws_region_name": region})) == expected


@pytest.mark.parametrize("name", ["AWS_REGION_NAME", "AWS_REGION", "AWS_DEFAULT_REGION"])
def test_the_region_may_stand_in_the_environment(name: str) -> None:
    target = Target(model=MODEL, aws=AwsAccess(**KEY))
    assert host(Bedrock().connect(target, Environment({name: "us-west-2"}))) == (
        "bedrock-runtime.us-west-2.amazonaws.com"
    )


def test_an_arn_tells_its_region_and_stays_whole() -> None:
    arn = f"arn:aws:bedrock:us-east-2:123456789012:inference-profile/{MODEL}"
    target = Target(model=arn, aws=AwsAccess(**KEY))
    upstream = Bedrock().connect(target, Environment({}))
    assert (host(upstream), upstream.model) == ("bedrock-runtime.us-east-2.amazonaws.com", arn)


@pytest.mark.parametrize(
    ("written", "model", "region"),
    [
        (f"converse/{MODEL}", MODEL, "eu-central-1"),
        (f"us-west-2/{MODEL}", MODEL, "us-west-2"),
        (f"converse/us-west-2/{MODEL}", MODEL, "us-west-2"),
    ],
)
def test_litellms_spellings_of_a_model_are_known(written: str, model: str, region: str) -> None:
    upstream = connect(written, **KEY)
    assert upstream.model == model
    assert host(upstream) == f"bedrock-runtime.{region}.amazonaws.com"


def test_a_missing_region_is_told() -> None:
    with pytest.raises(TargetError, match="no region: set AWS_REGION, or give aws_region_name"):
        Bedrock().connect(
            Target(model=MODEL, aws=AwsAccess(**KEY)),
            Environment({"AWS_PROFILE": "no-such-profile"}),
        )


def test_a_region_that_would_change_the_url_is_refused() -> None:
    with pytest.raises(TargetError, match="expected a region"):
        connect(**{**KEY, "aws_region_name": "evil.example/"})


@pytest.mark.parametrize(
    ("model", "takes"),
    [
        (MODEL, True),
        ("anthropic.claude-3-haiku-20240307-v1:0", False),
        ("arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-opus-4-5-v1:0", True),
        ("amazon.nova-pro-v1:0", False),
    ],
)
def test_only_newer_claude_is_known_to_take_a_json_schema(model: str, takes: bool) -> None:
    assert connect(model, **KEY).native_schema is takes


PROFILE = "arn:aws:bedrock:eu-central-1:1:application-inference-profile/k7r2"


def test_a_profile_that_does_not_tell_its_model_is_warned_of() -> None:
    upstream = connect(PROFILE, **KEY)
    assert (upstream.native_schema, upstream.model) == (False, PROFILE)
    assert upstream.warning is not None
    assert "model_info.base_model" in upstream.warning


@pytest.mark.parametrize("base", [MODEL, f"bedrock/{MODEL}", "anthropic/claude-sonnet-4-5"])
def test_a_base_model_tells_what_a_profile_takes(base: str) -> None:
    target = Target(model=PROFILE, base_model=base, aws=AwsAccess(**KEY))
    upstream = Bedrock().connect(target, Environment({}))
    assert (upstream.native_schema, upstream.warning, upstream.model) == (True, None, PROFILE)


def test_a_role_is_assumed_once_and_its_key_renewed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def fetch(access: AwsAccess, region: str, base: AccessKey | None, _: object) -> Lease[AccessKey]:
        asked.append((access.aws_role_name, region, base and base.id))
        return Lease(AccessKey("ASIA", Secret("temporary"), Secret("session")), 4_000_000_000)

    monkeypatch.setattr(bedrock, "fetch_key", fetch)
    monkeypatch.setattr(bedrock, "check_library", lambda: None)
    access = AwsAccess(aws_region_name="eu-central-1", aws_role_name="arn:role", **KEY)
    provider = Bedrock()
    upstreams = [provider.connect(Target(model=name, aws=access), Environment({})) for name in "ab"]
    assert asked == [("arn:role", "eu-central-1", "AKIA")]
    assert {upstream.signing.access_key_id for upstream in upstreams if upstream.signing} == {"ASIA"}
    assert upstreams[0].renew_at == 4_000_000_000 - 200


def test_a_key_that_cannot_be_had_leaves_the_deployment_without_one_for_now(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> Lease[AccessKey]:
        raise LeaseError("no credentials of AWS: none are configured on this machine")

    monkeypatch.setattr(bedrock, "fetch_key", fail)
    monkeypatch.setattr(bedrock, "check_library", lambda: None)
    upstream = connect()
    assert upstream.signing is None
    assert upstream.credential_problem is not None
    assert upstream.renew_at is not None


def test_a_web_identity_needs_its_role() -> None:
    with pytest.raises(TargetError) as caught:
        connect(aws_web_identity_token=Secret("token"))
    assert caught.value.field == "aws_role_name"


def test_without_the_library_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "botocore", None)
    monkeypatch.setitem(sys.modules, "botocore.session", None)
    with pytest.raises(TargetError, match=r"pip install 'llmgw\[bedrock\]'"):
        connect()


@pytest.mark.parametrize(
    ("model", "region"),
    [
        ("anthropic.claude-sonnet-4-5", "eu-central-1"),
        ("us-east-1/anthropic.claude-sonnet-4-5", "us-east-1"),
        ("eu.anthropic.claude-sonnet-4-5", "eu"),
        ("global.anthropic.claude-sonnet-4-5", "global"),
        ("arn:aws:bedrock:eu-central-1:1:inference-profile/us.anthropic.claude-sonnet-4-5", "us"),
        ("arn:aws:bedrock:eu-central-1:1:application-inference-profile/x", None),
        ("*", None),
    ],
)
def test_a_model_is_in_the_region_where_it_is_served(model: str, region: str | None) -> None:
    assert connect(model, **KEY).region == region
