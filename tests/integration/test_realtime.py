"""Realtime sessions: who is let in, where they lead, what passes, and how they end."""

import asyncio
import json
import signal
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.sync.client import ClientConnection, connect
from websockets.sync.server import ServerConnection
from websockets.typing import Subprotocol

from tests.certificates import make_certificate, needs_openssl
from tests.conftest import APP_KEY, StartGateway, deployment, gateway_config
from tests.gateway_process import GatewayProcess, free_port, wait_until
from tests.raw_http import RawClient, request_bytes
from tests.upstreams.realtime import RealtimeUpstream, Session, running, say

MODEL = "plain"
ROUTED = "gpt-realtime"
UPDATE = {"type": "session.update", "session": {"type": "realtime", "instructions": "Be brief."}}
CREATE = {"type": "response.create"}
LARGEST = 100_000

# The SDK uses the package in a way that the package has deprecated since.
of_an_sdk = pytest.mark.filterwarnings("ignore:connect.. must be used:DeprecationWarning")


def realtime_config(*upstreams: str, **sections: Any) -> dict[str, Any]:
    """Sessions of the model `plain`, which the key `app` may open, and of `other`, which it may not."""
    models = [deployment(MODEL, base, f"openai/{ROUTED}") for base in upstreams]
    other = deployment("other", upstreams[0], "openai/gpt-realtime-mini")
    settings = {"realtime": {"max_message_bytes": LARGEST}, **sections.pop("server", {})}
    return gateway_config(*models, other, server=settings, **sections)


def shown(key: str | None = APP_KEY) -> dict[str, str]:
    return {} if key is None else {"Authorization": f"Bearer {key}"}


def websocket_url(gateway: GatewayProcess) -> str:
    return gateway.url.replace("http", "ws")


def session(
    gateway: GatewayProcess,
    path: str = f"/v1/realtime?model={MODEL}",
    key: str | None = APP_KEY,
    **options: Any,
) -> ClientConnection:
    """A session opened by a client of another make."""
    options.setdefault("compression", None)
    options.setdefault("max_size", None)
    url = websocket_url(gateway) + path
    opened: ClientConnection = connect(url, additional_headers=shown(key), proxy=None, **options)
    return opened


def event(client: ClientConnection) -> dict[str, Any]:
    return dict(json.loads(client.recv(timeout=20)))


def send(client: ClientConnection, value: dict[str, Any]) -> None:
    client.send(json.dumps(value))


def close_of(client: ClientConnection) -> tuple[int, str]:
    """Reads to the end; code and reason."""
    with pytest.raises(ConnectionClosed) as closed:
        while True:
            client.recv(timeout=20)
    assert closed.value.rcvd is not None, "the connection broke"
    return closed.value.rcvd.code, closed.value.rcvd.reason


def refusal(opening: Callable[[], ClientConnection]) -> tuple[int, dict[str, Any]]:
    """Status and error of a session that is not opened."""
    with pytest.raises(InvalidStatus) as refused:
        opening()
    response = refused.value.response
    error = json.loads(response.body)["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return response.status_code, error


@pytest.fixture(scope="module")
def shared_server() -> Iterator[RealtimeUpstream]:
    with running() as upstream:
        yield upstream


@pytest.fixture
def server(shared_server: RealtimeUpstream) -> RealtimeUpstream:
    """An upstream that holds conversations, and has held none yet."""
    shared_server.forget()
    return shared_server


@pytest.fixture(scope="module")
def gateway(
    tmp_path_factory: pytest.TempPathFactory, shared_server: RealtimeUpstream
) -> Iterator[GatewayProcess]:
    home = tmp_path_factory.mktemp("realtime")
    with GatewayProcess(home, realtime_config(shared_server.base_url), env={"APP_KEY": APP_KEY}) as gateway:
        yield gateway


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


# ── what passes ─────────────────────────────────────────────────────────────────────────────────


def opening(key: str = APP_KEY) -> bytes:
    fields = [
        ("Authorization", f"Bearer {key}"),
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ]
    return request_bytes("GET", f"/v1/realtime?model={MODEL}", fields)


def raw_session(gateway: GatewayProcess) -> RawClient:
    client = RawClient(gateway.port)
    client.send(opening())
    assert client.read_head().status == 101
    return client


def text(value: dict[str, Any]) -> bytes:
    return Frame(Opcode.TEXT, json.dumps(value).encode()).serialize(mask=True)


def test_a_frame_may_come_byte_by_byte(gateway: GatewayProcess, server: RealtimeUpstream) -> None:
    with raw_session(gateway) as client:
        client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in text(UPDATE):
            client.send(bytes([byte]))
        assert server.next_session().next_event() == UPDATE


def test_a_message_in_parts_arrives_whole_with_pings_between_them(
    gateway: GatewayProcess, server: RealtimeUpstream
) -> None:
    whole = json.dumps(UPDATE)
    with session(gateway) as client:
        assert event(client)["type"] == "session.created"
        client.send(iter(whole))
        assert client.ping(b"there?").wait(20)
        assert event(client)["type"] == "session.updated"
    assert server.next_session().next_event() == UPDATE


def test_an_upstreams_message_in_parts_arrives_whole(
    start_gateway: StartGateway,
) -> None:
    def speak(connection: ServerConnection, seen: Session) -> None:
        connection.send(iter('{"type":"session.created"}'))

    with running(speak) as upstream:
        gateway = start_gateway(realtime_config(upstream.base_url))
        with session(gateway) as client:
            assert event(client) == {"type": "session.created"}


def test_a_close_passes_with_its_code_and_reason_both_ways(
    gateway: GatewayProcess, server: RealtimeUpstream, start_gateway: StartGateway
) -> None:
    with session(gateway) as client:
        client.close(4001, "enough")
    assert server.next_session().wait_for_end() == 4001

    def leave(connection: ServerConnection, seen: Session) -> None:
        connection.close(4002, "session expired")

    with running(leave) as upstream:
        other = start_gateway(realtime_config(upstream.base_url))
        with session(other) as client:
            assert close_of(client) == (4002, "session expired")


def test_a_large_message_passes_while_the_other_side_speaks(
    start_gateway: StartGateway,
) -> None:
    size = 4_000_000

    def flood(connection: ServerConnection, seen: Session) -> None:
        for _ in range(4):
            connection.send("x" * size)

    with running(flood) as upstream:
        limits = {"realtime": {"max_message_bytes": 2 * size}}
        gateway = start_gateway(realtime_config(upstream.base_url, server=limits))
        with session(gateway) as client:
            send(client, {"type": "input_audio_buffer.append", "audio": "A" * size})
            assert [len(client.recv(timeout=20)) for _ in range(4)] == [size] * 4
        assert len(upstream.next_session().heard.get(timeout=20)) > size


# ── what does not pass ──────────────────────────────────────────────────────────────────────────


def test_a_session_keeps_its_model(gateway: GatewayProcess, server: RealtimeUpstream) -> None:
    with session(gateway) as client:
        event(client)
        send(client, {**UPDATE, "event_id": "mine", "session": {"model": "other"}})
        refused = event(client)
        send(client, UPDATE)
        assert event(client)["type"] == "session.updated"

    error = refused["error"]
    assert (refused["type"], error["code"], error["event_id"]) == ("error", "permission_denied", "mine")
    assert server.next_session().next_event() == UPDATE


def test_the_sessions_own_model_goes_upstream_by_the_name_it_has_there(
    gateway: GatewayProcess, server: RealtimeUpstream
) -> None:
    with session(gateway) as client:
        event(client)
        send(client, {"type": "session.update", "session": {"model": MODEL, "instructions": "Hi"}})
        assert event(client)["session"] == {"model": ROUTED, "instructions": "Hi"}


def test_a_key_of_few_models_may_not_have_another_listen(
    gateway: GatewayProcess, server: RealtimeUpstream
) -> None:
    listening = {"audio": {"input": {"transcription": {"model": "whisper-1"}}}}
    with session(gateway) as client:
        event(client)
        send(client, {"type": "session.update", "session": listening})
        assert event(client)["error"]["param"] == "transcription.model"


@pytest.mark.parametrize("junk", ["", "[]", '{"session":{},"session":{"model":"other"}}', "nonsense"])
def test_what_is_no_event_does_not_go_on(
    gateway: GatewayProcess, server: RealtimeUpstream, junk: str
) -> None:
    with session(gateway) as client:
        event(client)
        client.send(junk)
        assert event(client)["error"]["code"] == "invalid_request"


def test_a_message_that_is_too_large_ends_the_session(
    gateway: GatewayProcess, server: RealtimeUpstream
) -> None:
    with session(gateway) as client:
        client.send("x" * (LARGEST + 1))
        assert close_of(client)[0] == 1009
    assert server.next_session().wait_for_end() == 1009


def test_parts_that_are_too_large_together_end_the_session(
    gateway: GatewayProcess, server: RealtimeUpstream
) -> None:
    with raw_session(gateway) as client:
        client.read_until(b"session.created")
        part = b"x" * (LARGEST // 2)
        client.send(Frame(Opcode.TEXT, part, fin=False).serialize(mask=True))
        for _ in range(2):
            client.send(Frame(Opcode.CONT, part, fin=False).serialize(mask=True))
        client.read_until(b"\x03\xf1A message is larger than allowed.")


def test_an_upstreams_message_that_is_too_large_ends_the_session(start_gateway: StartGateway) -> None:
    def shout(connection: ServerConnection, seen: Session) -> None:
        connection.send("x" * (LARGEST + 1))

    with running(shout) as upstream:
        gateway = start_gateway(realtime_config(upstream.base_url))
        with session(gateway) as client:
            assert close_of(client)[0] == 1009
        assert upstream.next_session().wait_for_end() == 1009


def test_bytes_are_no_events(gateway: GatewayProcess, server: RealtimeUpstream) -> None:
    with session(gateway) as client:
        client.send(b"\x00")
        assert close_of(client)[0] == 1003


def test_a_frame_without_a_mask_breaks_the_protocol(
    gateway: GatewayProcess, server: RealtimeUpstream
) -> None:
    with raw_session(gateway) as client:
        client.send(Frame(Opcode.TEXT, b"{}").serialize(mask=False))
        client.read_until(b"\x03\xea")
    assert server.next_session().wait_for_end() == 1001


# ── what it costs ───────────────────────────────────────────────────────────────────────────────


def test_what_responses_cost_shows_while_the_session_runs(
    start_gateway: StartGateway, server: RealtimeUpstream
) -> None:
    gateway = start_gateway(realtime_config(server.base_url))
    about = f'endpoint="realtime",model="{MODEL}",provider="openai"'
    with session(gateway) as client:
        for _ in range(2):
            send(client, CREATE)
        while (said := event(client)) and said["type"] != "response.done":
            pass
        while (said := event(client)) and said["type"] != "response.done":
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


# ── how it ends ─────────────────────────────────────────────────────────────────────────────────


def test_a_client_that_vanishes_ends_its_upstreams_session(
    gateway: GatewayProcess, server: RealtimeUpstream
) -> None:
    client = raw_session(gateway)
    client.read_until(b"session.created")
    seen = server.next_session()
    client.sock.close()

    assert seen.wait_for_end() == 1001


def test_an_upstream_that_vanishes_ends_its_clients_session(start_gateway: StartGateway) -> None:
    def vanish(connection: ServerConnection, seen: Session) -> None:
        say(connection, "session.created")
        connection.socket.shutdown(socket.SHUT_RDWR)

    with running(vanish) as upstream:
        gateway = start_gateway(realtime_config(upstream.base_url))
        with session(gateway) as client:
            assert close_of(client)[0] == 1011


@pytest.mark.parametrize(
    ("limit", "reason"),
    [("idle_timeout", "Nothing was said for too long."), ("max_duration", "lasted as long as it may")],
)
def test_time_ends_a_session_for_both_sides(
    start_gateway: StartGateway, server: RealtimeUpstream, limit: str, reason: str
) -> None:
    limits = {"realtime": {limit: 1}}
    gateway = start_gateway(realtime_config(server.base_url, server=limits))
    with session(gateway, ping_interval=0.2) as client:
        code, told = close_of(client)

    assert code == 1001
    assert reason in told
    assert server.next_session().wait_for_end() == 1001


def test_a_gateway_that_shuts_down_says_goodbye_to_both_sides(
    start_gateway: StartGateway, server: RealtimeUpstream
) -> None:
    gateway = start_gateway(realtime_config(server.base_url))
    with session(gateway) as client:
        event(client)
        gateway.signal(signal.SIGTERM)
        assert close_of(client) == (1001, "The gateway is shutting down.")

    assert server.next_session().wait_for_end() == 1001
    assert gateway.wait() == 0
