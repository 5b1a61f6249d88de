"""Gateways with several ways through to one scripted upstream, and keys that may use some of them."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import KEYS_ENVIRONMENT, deployment, gateway_config
from tests.gateway_process import GatewayProcess
from tests.upstreams import replies
from tests.upstreams.scripted import ScriptedUpstream

CREDENTIAL = "upstream-credential"
LIMITED_KEY = "limited-key-0123456789"
GRANTED_KEY = "granted-key-0123456789"
OPEN_KEY = "open-key-01234567890"
NARROW_KEY = "narrow-key-0123456789"
SLOW_KEY = "slow-key-01234567890"
THRIFTY_KEY = "thrifty-key-0123456789"
ENVIRONMENT = KEYS_ENVIRONMENT | {
    "LIMITED_KEY": LIMITED_KEY,
    "GRANTED_KEY": GRANTED_KEY,
    "OPEN_KEY": OPEN_KEY,
    "NARROW_KEY": NARROW_KEY,
    "SLOW_KEY": SLOW_KEY,
    "THRIFTY_KEY": THRIFTY_KEY,
}
KEYS: list[dict[str, Any]] = [
    {"alias": "limited", "key": "env:LIMITED_KEY", "models": ["plain"]},
    {
        "alias": "granted",
        "key": "env:GRANTED_KEY",
        "models": ["plain", "anthropic/claude-haiku*", "gemini/flash", "bedrock/allowed*"],
        "pass_through": ["*"],
    },
    {"alias": "open", "key": "env:OPEN_KEY"},
    {"alias": "narrow", "key": "env:NARROW_KEY", "pass_through": ["gemini"]},
    {"alias": "slow", "key": "env:SLOW_KEY", "rpm_limit": 1},
    {"alias": "thrifty", "key": "env:THRIFTY_KEY", "tpm_limit": 1000},
]


def way(model: str, root: str, *paths: str, **fields: Any) -> dict[str, Any]:
    """An entry of `pass_through`."""
    return {
        "litellm_params": {"model": model, "api_base": root, "api_key": CREDENTIAL},
        "paths": paths,
        **fields,
    }


def pass_through(root: str) -> dict[str, Any]:
    """All of them, in front of the upstream whose root is given."""
    signed = {
        "aws_access_key_id": "AKIDEXAMPLE",
        "aws_secret_access_key": "secret",
        "aws_region_name": "eu-west-1",
    }
    azure = way("azure/*", root, "/openai/")
    return {
        "openai": way("openai/*", f"{root}/v1", "/v1/"),
        "vendor": way("openai/*", f"{root}/v1", "/v1/"),
        "anthropic": way("anthropic/*", root, "/v1/messages", "/v1/models", "/v1/files"),
        "gemini": way("gemini/*", root, "/v1beta/", "/upload/v1beta/"),
        "azure": azure,
        "cohere": way("cohere/*", root, "/v2/"),
        "bedrock": {
            "litellm_params": {"model": "bedrock/*", "api_base": root, **signed},
            "paths": ["/model/"],
        },
        "based": way(
            "openai/*", f"{root}/v1", "/v1/", base_path="/deep/down", methods=["GET"], headers=["X-Special"]
        ),
        "borrowed": {"deployment": "lender", "paths": ["/"]},
    }


def config(root: str, **sections: Any) -> dict[str, Any]:
    """The settings."""
    lender = deployment("plain", f"{root}/v1")
    lender["model_info"] = {"id": "lender"}
    return gateway_config(lender, keys=KEYS, pass_through=pass_through(root), **sections)


def root_of(upstream: ScriptedUpstream) -> str:
    """Where a vendor's paths begin."""
    return upstream.base_url.removesuffix("/v1")


@pytest.fixture(scope="session")
def open_gateway(
    tmp_path_factory: pytest.TempPathFactory,
    upstream_servers: tuple[ScriptedUpstream, ScriptedUpstream],
) -> Iterator[GatewayProcess]:
    """Passes through without looking for personal data."""
    home = tmp_path_factory.mktemp("open")
    with GatewayProcess(home, config(root_of(upstream_servers[0])), env=ENVIRONMENT) as gateway:
        yield gateway


@pytest.fixture(scope="session")
def blocking_gateway(
    tmp_path_factory: pytest.TempPathFactory,
    upstream_servers: tuple[ScriptedUpstream, ScriptedUpstream],
) -> Iterator[GatewayProcess]:
    """Refuses what holds personal data."""
    settings = config(root_of(upstream_servers[0]), pii={"mode": "block"})
    with GatewayProcess(tmp_path_factory.mktemp("blocking"), settings, env=ENVIRONMENT) as gateway:
        yield gateway


@pytest.fixture
def gateway(open_gateway: GatewayProcess, upstream: ScriptedUpstream) -> GatewayProcess:
    """The first of them, in front of a clean upstream that answers everything with JSON."""
    open_gateway.assert_running()
    upstream.always(replies.reply(b'{"ok":true}'))
    return open_gateway


@pytest.fixture
def guarded(blocking_gateway: GatewayProcess, upstream: ScriptedUpstream) -> GatewayProcess:
    """The second."""
    blocking_gateway.assert_running()
    upstream.always(replies.reply(b'{"ok":true}'))
    return blocking_gateway
