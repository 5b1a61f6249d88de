"""Realtime sessions: who is let in, and where they lead."""

import asyncio
import socket
import ssl
from pathlib import Path

import openai
import pytest
from websockets.typing import Subprotocol

from tests.certificates import make_certificate, needs_openssl
from tests.conftest import APP_KEY, StartGateway, deployment, gateway_config
from tests.gateway_process import GatewayProcess, free_port, wait_until
from tests.integration.realtime.client import (
    MODEL,
    ROUTED,
    event,
    opening,
    realtime_config,
    refusal,
    session,
    websocket_url,
)
from tests.raw_http import RawClient
from tests.upstreams.realtime import RealtimeUpstream, running

# The SDK uses the package in a way that the package has deprecated since.
of_an_sdk = pytest.mark.filterwarnings("ignore:connect.. must be used:DeprecationWarning")


# ── the SDKs ────────────────────────────────────────────────────────────────────────────────────


@of_an_sdk
def test_openais_client_holds_a_conversation(gateway: GatewayProcess, server: RealtimeUpstream) -> None:
    with (
        openai.OpenAI(base_url=gateway.url + "/v1", api_key=APP_KEY) as client,
        client.realtime.connect(model=MODEL) as connection,
    ):
        created = connection.recv()
        connection.session.update(session={"type": "realtime", "instructions": "Be brief."})
        updated = connection.recv()
        connection.response.create()
        kinds = [connection.recv().type for _ in range(3)]

    assert (created.type, updated.type) == ("session.created", "session.updated")
    assert kinds == ["response.created", "response.output_text.delta", "response.done"]
    seen = server.next_session()
    assert seen.wait_for_end() == 1000
    assert seen.path == f"/v1/realtime?model={ROUTED}"
    assert seen.headers["Authorization"] == "Bearer upstream-credential"
    assert APP_KEY not in str(seen.headers)


def test_openais_client_of_the_beta_says_so_upstream(
    gateway: GatewayProcess, server: RealtimeUpstream
) -> None:
    async def talk() -> str:
        async with (
            openai.AsyncOpenAI(websocket_base_url=websocket_url(gateway) + "/v1", api_key=APP_KEY) as client,
            client.beta.realtime.connect(model=MODEL) as connection,
        ):
            return (await connection.recv()).type

    assert asyncio.run(talk()) == "session.created"
    assert server.next_session().headers["OpenAI-Beta"] == "realtime=v1"


@of_an_sdk
def test_azures_client_names_a_deployment(gateway: GatewayProcess, server: RealtimeUpstream) -> None:
    with (
        openai.AzureOpenAI(
            azure_endpoint=gateway.url,
            websocket_base_url=websocket_url(gateway) + "/openai",
            api_key=APP_KEY,
            api_version="2024-10-01-preview",
        ) as client,
        client.realtime.connect(model=MODEL) as connection,
    ):
        assert connection.recv().type == "session.created"

    assert server.next_session().path == f"/v1/realtime?model={ROUTED}"


@pytest.mark.parametrize("path", ["/realtime", "/openai/v1/realtime"])
def test_the_other_paths_lead_there_too(gateway: GatewayProcess, server: RealtimeUpstream, path: str) -> None:
    with session(gateway, f"{path}?model={MODEL}") as client:
        assert event(client)["type"] == "session.created"


# ── who is let in ───────────────────────────────────────────────────────────────────────────────


def test_a_browser_shows_its_key_as_a_subprotocol_which_goes_no_further(
    gateway: GatewayProcess, server: RealtimeUpstream
) -> None:
    offered = ["realtime", f"openai-insecure-api-key.{APP_KEY}", "openai-beta.realtime-v1"]
    with session(gateway, key=None, subprotocols=[Subprotocol(each) for each in offered]) as client:
        assert client.subprotocol == "realtime"
        assert event(client)["type"] == "session.created"

    seen = server.next_session()
    assert APP_KEY not in str(seen.headers)
    assert seen.headers["OpenAI-Beta"] == "realtime=v1"


@pytest.mark.parametrize(
    ("path", "key", "status", "code"),
    [
        (f"?model={MODEL}", None, 401, "invalid_api_key"),
        (f"?model={MODEL}", "wrong", 401, "invalid_api_key"),
        ("?model=nothing", APP_KEY, 404, "model_not_found"),
        ("?model=other", APP_KEY, 403, "permission_denied"),
        ("", APP_KEY, 400, "invalid_request"),
        ("?call_id=rtc_1", APP_KEY, 400, "invalid_request"),
    ],
)
def test_who_may_not_open_a_session_is_told_in_http(
    gateway: GatewayProcess, path: str, key: str | None, status: int, code: str
) -> None:
    told, error = refusal(lambda: session(gateway, f"/v1/realtime{path}", key))

    assert (told, error["code"]) == (status, code)


def test_a_request_that_opens_no_websocket_is_told_so(gateway: GatewayProcess) -> None:
    reply = gateway.get(f"/v1/realtime?model={MODEL}", APP_KEY)

    assert reply.status == 400
    assert "Upgrade: websocket" in reply.error()["message"]


def test_another_method_is_not_allowed(gateway: GatewayProcess) -> None:
    assert gateway.post(f"/v1/realtime?model={MODEL}", {}, APP_KEY).status == 405


def test_a_session_counts_as_a_request(start_gateway: StartGateway, server: RealtimeUpstream) -> None:
    keys = [{"alias": "app", "key": "env:APP_KEY", "models": [MODEL], "rpm_limit": 1}]
    gateway = start_gateway(realtime_config(server.base_url, keys=keys))
    with session(gateway) as client:
        assert client.response is not None
        assert client.response.headers["x-ratelimit-remaining-requests"] == "0"

    assert refusal(lambda: session(gateway))[0] == 429


def test_where_personal_data_may_not_leave_nobody_is_let_in(
    start_gateway: StartGateway, server: RealtimeUpstream
) -> None:
    gateway = start_gateway(realtime_config(server.base_url, pii={"mode": "block"}))

    status, error = refusal(lambda: session(gateway))

    assert (status, error["code"]) == (400, "unsupported")
    assert "personal data" in error["message"]


def test_there_are_no_more_sessions_than_allowed(
    start_gateway: StartGateway, server: RealtimeUpstream
) -> None:
    limits = {"realtime": {"max_sessions": 1}}
    gateway = start_gateway(realtime_config(server.base_url, server=limits))
    with session(gateway):
        assert gateway.metrics()["llmgw_realtime_sessions"] == 1
        assert refusal(lambda: session(gateway))[0] == 429
    wait_until(lambda: gateway.metrics()["llmgw_realtime_sessions"] == 0, "the session is over")
    with session(gateway):
        pass


# ── where it leads ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        (401, 502, "upstream_credential"),
        (429, 429, "upstream_rate_limited"),
        (500, 503, "upstream_overloaded"),
        (200, 502, "upstream_protocol"),
        (404, 404, "refused"),
    ],
)
def test_an_upstreams_refusal_means_what_it_means_elsewhere(
    gateway: GatewayProcess, server: RealtimeUpstream, said: int, status: int, code: str
) -> None:
    server.refuse = said
    told, error = refusal(lambda: session(gateway))

    assert (told, error["code"]) == (status, code)


def test_an_upstream_that_is_not_there_is_a_bad_gateway(start_gateway: StartGateway) -> None:
    gateway = start_gateway(realtime_config(f"http://127.0.0.1:{free_port()}/v1"))

    status, error = refusal(lambda: session(gateway))

    assert (status, error["code"]) == (502, "upstream_unreachable")


def test_an_upstream_that_is_no_websocket_is_not_taken_for_one(
    start_gateway: StartGateway, server: RealtimeUpstream
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as fake:
        gateway = start_gateway(realtime_config(f"http://127.0.0.1:{fake.getsockname()[1]}/v1"))
        client = RawClient(gateway.port)
        client.send(opening())
        upstream, _ = fake.accept()
        with client, upstream:
            upstream.recv(65536)
            upstream.sendall(b"HTTP/1.1 101 Switching Protocols\r\nsec-websocket-accept: wrong\r\n\r\n")
            reply = client.read_response()

    assert (reply.status, reply.error()["code"]) == (502, "upstream_protocol")


def test_another_deployment_is_asked_before_the_client_hears_of_a_failure(
    start_gateway: StartGateway, server: RealtimeUpstream
) -> None:
    nobody = f"http://127.0.0.1:{free_port()}/v1"
    models = [
        deployment(MODEL, nobody, f"openai/{ROUTED}", order=1),
        deployment("spare", server.base_url, "openai/spare-realtime"),
    ]
    routing = {"fallbacks": [{MODEL: ["spare"]}]}
    gateway = start_gateway(gateway_config(*models, router_settings=routing))

    with session(gateway) as client:
        assert event(client)["type"] == "session.created"

    assert server.next_session().path.endswith("model=spare-realtime")


@needs_openssl
def test_an_upstream_is_reached_over_tls(start_gateway: StartGateway, tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.cert_file, certificate.key_file)
    with running(tls=context) as secure:
        base = secure.base_url.replace("http:", "https:").replace("127.0.0.1", "localhost")
        trust = {"allow_networks": ["127.0.0.0/8", "::1/128"], "ca_file": str(certificate.cert_file)}
        gateway = start_gateway(realtime_config(base, egress=trust))
        with session(gateway) as client:
            assert event(client)["type"] == "session.created"
