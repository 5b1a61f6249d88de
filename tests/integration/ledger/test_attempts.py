"""Every attempt is written down before it is sent, and how it ended: once, and as it was."""

import json

import pytest

from tests.conftest import StartGateway
from tests.gateway_process import GatewayProcess, wait_until
from tests.integration.ledger.conftest import ENVIRONMENT, ledger_config
from tests.integration.ledger.reading import INPUT, OUTPUT, Ledger, ask, end, ends, folder, says
from tests.upstreams import faults, replies
from tests.upstreams.scripted import Script, ScriptedUpstream

ENDED = ("t", "status", "how", "cost", "price")
# The replies' own usage, see `replies.py`.
WHOLE = 7 * INPUT + 4 * OUTPUT
STREAMED = 7 * INPUT + 3 * OUTPUT


def test_what_is_asked_is_written_before_it_is_sent(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    ask(gateway, "reserved", max_tokens=50, user="ann")

    end(gateway, "reserved")
    ((reserve, _),) = Ledger.of(gateway).attempts("reserved")
    unlike = {name: reserve.pop(name) for name in ("id", "at", "deployment", "held", "input")}
    assert reserve == {
        **{"t": "reserve", "request": "reserved", "attempt": 1, "stream": False},
        **{"key": "master", "alias": "master", "tags": [], "end_user": "ann"},
        **{"endpoint": "chat_completions", "group": "priced", "model": "priced"},
        **{"provider": "openai", "routed": "routed", "output": 50, "holds": []},
    }
    assert unlike["held"] == unlike["input"] * INPUT + 50 * OUTPUT


def test_a_whole_reply_is_settled_by_what_its_provider_told(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    upstream.then(replies.reply(headers=[("x-request-id", "up-1")]))
    ask(gateway, "whole")

    settle = end(gateway, "whole")
    assert says(settle, *ENDED) == ("settle", 200, "whole", WHOLE, "priced")
    assert settle["usage"] == {"input": 7, "output": 4}
    assert says(settle, "source", "upstream_id", "reported") == ("settings", "up-1", "upstream-model")


def test_a_stream_is_settled_by_what_it_told_at_its_end(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    ask(gateway, "stream", stream=True)

    settle = end(gateway, "stream")
    assert says(settle, *ENDED) == ("settle", 200, "stream", STREAMED, "priced")
    assert settle["first_ms"] <= settle["ms"]


def test_a_translated_reply_is_settled_too(gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    for request, streams in (("translated", False), ("translated-stream", True)):
        body = {"model": "priced", "max_tokens": 9, "stream": streams}
        body["messages"] = [{"role": "user", "content": "hello"}]
        headers = [("Content-Type", "application/json"), ("x-request-id", request)]
        assert gateway.post("/v1/messages", body, headers=headers).status == 200

    assert end(gateway, "translated")["cost"] == WHOLE
    assert end(gateway, "translated-stream")["cost"] == STREAMED


def test_where_nothing_was_told_it_is_settled_by_what_was_counted(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    body = json.dumps({**json.loads(replies.CHAT_BODY), "usage": None}).encode()
    upstream.then(replies.reply(body))
    ask(gateway, "counted")

    settle = end(gateway, "counted")
    assert says(settle, "how", "price") == ("whole", "estimated")
    assert settle["cost"] == settle["usage"]["input"] * INPUT + settle["usage"]["output"] * OUTPUT


def test_an_unknown_price_is_said_to_be_unknown(gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    ask(gateway, "unpriced", "unknown")

    assert says(end(gateway, "unpriced"), *ENDED) == ("settle", 200, "whole", 0, "unpriced")


@pytest.mark.parametrize("status", [400, 401, 404, 422])
def test_what_its_provider_refuses_costs_nothing(
    gateway: GatewayProcess, upstream: ScriptedUpstream, status: int
) -> None:
    upstream.then(replies.failing(status))
    ask(gateway, f"refused-{status}")

    assert says(end(gateway, f"refused-{status}"), "t", "why", "status") == ("void", "refused", status)


def test_a_retry_is_an_attempt_of_its_own(gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    upstream.then(replies.failing(500))
    assert ask(gateway, "retried").status == 200

    first, second = ends(gateway, "retried", 2)
    assert says(first, "t", "why", "status") == ("void", "refused", 500)
    assert says(second, *ENDED) == ("settle", 200, "whole", WHOLE, "priced")


def test_a_fallback_is_an_attempt_of_its_own(
    gateway: GatewayProcess, upstream: ScriptedUpstream, other_upstream: ScriptedUpstream
) -> None:
    upstream.always(replies.failing(503))
    assert ask(gateway, "fallen", "leading").status == 200

    *failed, last = ends(gateway, "fallen", 3)
    assert [says(each, "t", "status") for each in failed] == [("void", 503)] * 2
    assert says(last, *ENDED) == ("settle", 200, "whole", WHOLE, "priced")
    groups = {reserve["group"] for reserve, _ in Ledger.of(gateway).attempts("fallen")}
    assert groups == {"leading"}


def test_an_upstream_that_is_not_there_costs_nothing(gateway: GatewayProcess) -> None:
    assert ask(gateway, "unreachable", "nobody").status == 502

    voids = ends(gateway, "unreachable", 2)
    assert [says(each, "t", "why") for each in voids] == [("void", "unreachable")] * 2


@pytest.mark.parametrize(
    "fault",
    [faults.reset_before_head, faults.close_before_head, faults.close_after_head, faults.reset_mid_body],
    ids=lambda fault: fault.__name__,
)
def test_what_broke_off_after_it_was_sent_may_have_cost_its_input(
    gateway: GatewayProcess, upstream: ScriptedUpstream, fault: Script
) -> None:
    request = f"broken-{fault.__name__}"
    upstream.then(fault)
    assert ask(gateway, request).status == 200

    cut, settled = ends(gateway, request, 2)
    assert says(cut, "t", "status", "how", "price") == ("settle", 502, "cut", "estimated")
    assert cut["cost"] >= cut["usage"]["input"] * INPUT > 0
    assert says(settled, "how", "cost") == ("whole", WHOLE)


def test_a_reply_that_is_waited_for_too_long_may_have_cost_its_input(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    upstream.always(faults.never_answer)
    assert ask(gateway, "late", "impatient").status == 504

    for cut in ends(gateway, "late", 2):
        assert says(cut, "t", "status", "how", "price") == ("settle", 504, "cut", "estimated")


def test_a_web_page_costs_nothing(gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    upstream.always(replies.reply(b"<html>", content_type="text/html"))
    assert ask(gateway, "page").status == 502

    assert [says(each, "t", "why") for each in ends(gateway, "page", 2)] == [("void", "failed")] * 2


def test_a_stream_that_breaks_off_is_settled_by_what_came(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    upstream.then(faults.cut_stream(replies.chat_events()[:2], how="reset"))
    ask(gateway, "cut", stream=True)

    cut = end(gateway, "cut")
    assert says(cut, "t", "status", "how", "price") == ("settle", 502, "cut", "estimated")
    assert cut["usage"]["output"] == 2


def test_counting_tokens_is_not_written_down(gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    body = {"model": "priced", "messages": [{"role": "user", "content": "hello"}]}
    headers = [("Content-Type", "application/json"), ("x-request-id", "counting")]
    gateway.post("/v1/messages/count_tokens", body, headers=headers)
    ask(gateway, "after-counting")

    end(gateway, "after-counting")
    assert not Ledger.of(gateway).attempts("counting")


def test_without_a_ledger_nothing_is_written(start_gateway: StartGateway, upstream: ScriptedUpstream) -> None:
    config = ledger_config(upstream.base_url, upstream.base_url, ledger={"enabled": False})
    gateway = start_gateway(config, env=ENVIRONMENT)

    assert ask(gateway, "plain").status == 200
    assert not folder(gateway).exists()
    assert "ledger" not in gateway.get("/health/readiness").json()


def test_a_folder_of_its_own_begins_at_the_settings_file(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    config = ledger_config(upstream.base_url, upstream.base_url, ledger={"folder": "books"})
    gateway = start_gateway(config, env=ENVIRONMENT)

    assert ask(gateway, "plain").status == 200
    assert list((gateway.home / "books").iterdir())
    assert gateway.get("/health/readiness/details").json()["ledger"]["status"] == "ok"
    wait_until(lambda: gateway.metrics()["llmgw_ledger_records_total"] == 2, "the records are counted")
    assert gateway.metrics()["llmgw_ledger_stuck_workers"] == 0
