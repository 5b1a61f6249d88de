"""Keys of the directory: they come and go while the gateway runs, at every worker."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import APP_KEY, KEYS_ENVIRONMENT, deployment, gateway_config
from tests.directory_feed import DirectoryFeed, node
from tests.gateway_process import JSON_TYPE, MASTER_KEY, GatewayProcess, wait_until
from tests.raw_http import Response
from tests.upstreams.scripted import ScriptedUpstream

WORKERS = 4
KEY = "store-key-0123456789abcdef"
NEXT_KEY = "store-key-fedcba9876543210"
TOLD_SECONDS = 1.0
"""Within that every worker knows."""
FOREVER = 2**50


@pytest.fixture(scope="module")
def running(
    tmp_path_factory: pytest.TempPathFactory,
    upstream_servers: tuple[ScriptedUpstream, ScriptedUpstream],
) -> Iterator[GatewayProcess]:
    first, second = (each.base_url for each in upstream_servers)
    config = gateway_config(
        deployment("plain", first),
        {**deployment("second", second), "model_info": {"region": "eu-west-1"}},
        {**deployment("abroad", second), "model_info": {"region": "us-east-1"}},
        server={"trusted_proxies": ["127.0.0.1"]},
        pass_through={"raw": {"paths": ["/v1"], "litellm_params": _raw(first)}},
    )
    home = tmp_path_factory.mktemp("directory")
    with GatewayProcess(home, config, WORKERS, KEYS_ENVIRONMENT) as process:
        yield process


def _raw(base: str) -> dict[str, str]:
    return {"model": "openai/*", "api_base": base, "api_key": "upstream-credential"}


@pytest.fixture(scope="module")
def written(running: GatewayProcess) -> DirectoryFeed:
    return DirectoryFeed.of(running)


@pytest.fixture
def feed(running: GatewayProcess, written: DirectoryFeed, upstream: ScriptedUpstream) -> DirectoryFeed:
    """A directory in which nothing is but a mark, known to every worker."""
    written.begin(written.key("mark", f"the-mark-of-file-{written.file + 1:04}"))
    mark = f"the-mark-of-file-{written.file:04}"
    everywhere(running, mark, 200)
    return written


def everywhere(gateway: GatewayProcess, key: str, status: int, **fields: Any) -> None:
    """Wait until every worker answers a key with this status.

    Whichever worker takes a connection answers it: as many in a row as make it very unlikely that one of
    them was not asked.
    """

    def agree() -> bool:
        return all(gateway.get("/v1/responses/none", key, **fields).status == status for _ in range(40))

    # Looking up a response that is not there is answered by the worker alone.
    status = 404 if status == 200 else status
    wait_until(agree, f"every worker answers {status}", timeout=20 * TOLD_SECONDS)


def code(response: Response) -> tuple[int, str]:
    return response.status, response.error()["code"]


def test_a_key_appears_while_the_gateway_runs(running: GatewayProcess, feed: DirectoryFeed) -> None:
    assert code(running.chat("plain", KEY)) == (401, "invalid_api_key")
    feed.append(feed.key("one", KEY))

    everywhere(running, KEY, 200)
    assert running.chat("plain", KEY).status == 200
