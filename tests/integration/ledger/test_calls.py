"""Requests that lead to no attempt: what the cache answered, and what was refused."""

from collections.abc import Iterator

import pytest

from tests.conftest import APP_KEY
from tests.gateway_process import GatewayProcess
from tests.integration.ledger.conftest import ENVIRONMENT, NARROW_KEY, TIGHT_KEY, ledger_config
from tests.integration.ledger.reading import INPUT, OUTPUT, Ledger, ask, call, end, says
from tests.upstreams.scripted import ScriptedUpstream

TOLD = ("what", "status", "class", "key", "endpoint")


@pytest.fixture(scope="module")
def strict_gateway(
    tmp_path_factory: pytest.TempPathFactory,
    upstream_servers: tuple[ScriptedUpstream, ScriptedUpstream],
) -> Iterator[GatewayProcess]:
    first, second = (each.base_url for each in upstream_servers)
    config = ledger_config(first, second, cache={}, pii={"mode": "block"})
    with GatewayProcess(tmp_path_factory.mktemp("strict"), config, env=ENVIRONMENT) as gateway:
        yield gateway


@pytest.fixture
def gateway(strict_gateway: GatewayProcess, upstream: ScriptedUpstream) -> GatewayProcess:
    """A gateway with a cache and a guardrail, in front of a clean upstream."""
    return strict_gateway


@pytest.mark.parametrize(("stream", "output"), [(False, 4), (True, 3)], ids=["whole", "stream"])
def test_a_hit_is_told_with_what_it_saved(gateway: GatewayProcess, stream: bool, output: int) -> None:
    first, second = f"first-{stream}", f"second-{stream}"
    ask(gateway, first, key=APP_KEY, stream=stream)
    assert ask(gateway, second, key=APP_KEY, stream=stream).header("x-llmgw-cache") == "hit"

    hit = call(gateway, second)
    assert says(hit, *TOLD) == ("hit", 200, None, "file:app", "chat_completions")
    assert says(hit, "group", "saved") == ("priced", 7 * INPUT + output * OUTPUT)
    end(gateway, first)


def test_what_a_guardrail_blocks_is_told(gateway: GatewayProcess) -> None:
    message = [{"role": "user", "content": "my card is 4111 1111 1111 1111"}]
    body = {"model": "priced", "messages": message}
    headers = [("Content-Type", "application/json"), ("x-request-id", "blocked")]
    assert gateway.post("/v1/chat/completions", body, APP_KEY, headers).status == 400

    told = call(gateway, "blocked")
    assert says(told, *TOLD) == ("blocked", 400, "GuardrailBlocked", "file:app", "chat_completions")
    assert told["model"] == "priced"


def test_what_a_limit_stops_is_told(gateway: GatewayProcess) -> None:
    assert ask(gateway, "within", key=TIGHT_KEY).status == 200
    assert ask(gateway, "beyond", key=TIGHT_KEY).status == 429

    assert says(call(gateway, "beyond"), *TOLD)[:4] == ("limited", 429, "RateLimited", "file:tight")


def test_what_a_key_may_not_do_is_told(gateway: GatewayProcess) -> None:
    assert ask(gateway, "denied", key=NARROW_KEY).status == 403

    told = call(gateway, "denied")
    assert says(told, *TOLD)[:4] == ("denied", 403, "PermissionDenied", "file:narrow")
    assert told["model"] == "priced"


def test_of_strangers_and_of_what_cannot_be_read_nothing_is_kept(gateway: GatewayProcess) -> None:
    ask(gateway, "stranger", key="nobody's")
    gateway.post("/v1/chat/completions", b"{", headers=[("Content-Type", "application/json")])
    ask(gateway, "known", temperature=0.5)

    end(gateway, "known")
    assert {each["what"] for each in Ledger.of(gateway).calls} <= {"hit", "blocked", "limited", "denied"}
    assert not [each for each in Ledger.of(gateway).calls if each["request"] == "stranger"]
