"""Realtime sessions: what they cost."""

from tests.conftest import StartGateway
from tests.integration.realtime.client import (
    CREATE,
    MODEL,
    UPDATE,
    event,
    realtime_config,
    refusal,
    send,
    session,
)
from tests.upstreams.realtime import RealtimeUpstream


def test_what_responses_cost_shows_while_the_session_runs(
    start_gateway: StartGateway, server: RealtimeUpstream
) -> None:
    gateway = start_gateway(realtime_config(server.base_url))
    about = f'endpoint="realtime",model="{MODEL}",provider="openai"'
    with session(gateway) as client:
        for _ in range(2):
            send(client, CREATE)
            while event(client)["type"] != "response.done":
                pass
        samples = gateway.metrics()

    tokens = {
        kind: samples[f'llmgw_tokens_total{{{about},key_alias="app",type="{kind}"}}']
        for kind in ("input", "output", "cache_read")
    }
    assert tokens == {"input": 40, "output": 20, "cache_read": 8}
    assert samples[f'llmgw_requests_total{{{about},status_code="101",key_alias="app"}}'] == 1


def test_a_key_without_tokens_hears_so_and_keeps_its_session(
    start_gateway: StartGateway, server: RealtimeUpstream
) -> None:
    keys = [{"alias": "app", "key": "env:APP_KEY", "models": [MODEL], "tpm_limit": 20}]
    gateway = start_gateway(realtime_config(server.base_url, keys=keys))
    with session(gateway) as client:
        send(client, CREATE)
        while event(client)["type"] != "response.done":
            pass
        send(client, CREATE)
        assert event(client)["error"]["code"] == "rate_limit_exceeded"
        send(client, UPDATE)
        assert event(client)["type"] == "session.updated"
        assert refusal(lambda: session(gateway))[0] == 429
