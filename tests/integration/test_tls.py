"""HTTPS on the listening side, with a certificate made for the test."""

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from tests.certificates import make_certificate, needs_openssl
from tests.conftest import KEYS_ENVIRONMENT, deployment, gateway_config
from tests.gateway_process import MASTER_KEY, GatewayProcess, chat_body, post_bytes
from tests.raw_http import RawClient
from tests.upstreams import faults, replies
from tests.upstreams.scripted import Exchange, ScriptedUpstream

pytestmark = needs_openssl


@pytest.fixture
def trusting() -> ssl.SSLContext:
    """What a client checks certificates with; trusts nobody but the gateway."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@pytest.fixture
def secure_gateway(
    tmp_path: Path, upstream: ScriptedUpstream, trusting: ssl.SSLContext
) -> Iterator[GatewayProcess]:
    made = make_certificate(tmp_path)
    trusting.load_verify_locations(made.cert_file)
    tls = {"cert_file": str(made.cert_file), "key_file": str(made.key_file)}
    config = gateway_config(deployment("plain", upstream.base_url), server={"tls": tls})
    with GatewayProcess(tmp_path, config, env=KEYS_ENVIRONMENT, tls=trusting) as gateway:
        yield gateway


@pytest.fixture
def sdk(secure_gateway: GatewayProcess, trusting: ssl.SSLContext) -> Iterator[openai.OpenAI]:
    url = f"https://localhost:{secure_gateway.port}/v1"
    with (
        openai.DefaultHttpxClient(verify=trusting) as client,
        openai.OpenAI(base_url=url, api_key=MASTER_KEY, max_retries=0, http_client=client) as sdk,
    ):
        yield sdk


def test_replies_and_streams_keep_their_bytes_over_tls(secure_gateway: GatewayProcess) -> None:
    assert secure_gateway.chat("plain").body == replies.CHAT_BODY
    assert secure_gateway.chat("plain", stream=True).body == b"".join(replies.chat_events())


def test_leaving_a_stream_over_tls_closes_the_upstream_connection(
    secure_gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    upstream.then(faults.endless_stream(replies.delta_event("word ")))

    with secure_gateway.connect() as client:
        client.send(post_bytes("/v1/chat/completions", chat_body("plain", stream=True)))
        client.read_until(b"word ")
        request = upstream.only_request()

    assert request.connection.peer_closed.wait(10)


def test_plain_http_on_the_tls_port_does_no_harm(secure_gateway: GatewayProcess) -> None:
    with RawClient(secure_gateway.port) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        while not client.closed_by_peer():
            pass

    assert secure_gateway.chat("plain").status == 200


def test_the_openai_client_chats_over_tls(sdk: openai.OpenAI) -> None:
    reply = sdk.chat.completions.create(model="plain", messages=[{"role": "user", "content": "hello"}])

    assert reply.choices[0].message.content == "four words of text"


def test_the_openai_client_streams_over_tls(sdk: openai.OpenAI) -> None:
    stream = sdk.chat.completions.create(
        model="plain", messages=[{"role": "user", "content": "hello"}], stream=True
    )

    texts = [chunk.choices[0].delta.content for chunk in stream]

    assert texts == ["word0 ", "word1 ", "word2 ", None]


def test_the_openai_client_reaches_the_control_plane_over_tls(sdk: openai.OpenAI) -> None:
    assert [model.id for model in sdk.models.list()] == ["plain"]


def test_many_requests_use_one_tls_connection(secure_gateway: GatewayProcess) -> None:
    with secure_gateway.connect() as client:
        for _ in range(20):
            client.send(post_bytes("/v1/chat/completions", chat_body("plain")))
            assert client.read_response().body == replies.CHAT_BODY


def read_to_the_end(gateway: GatewayProcess, tls: ssl.SSLContext, request: bytes) -> bytes:
    """All that comes back on a connection; SSLEOFError if it ends without a word, as a cut one does."""
    with (
        socket.create_connection(("127.0.0.1", gateway.port)) as sock,
        tls.wrap_socket(sock, server_hostname="localhost", suppress_ragged_eofs=False) as client,
    ):
        client.sendall(request)
        received = b""
        while data := client.recv(65536):
            received += data
        return received


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_connection_that_the_gateway_closes_says_so(
    secure_gateway: GatewayProcess, trusting: ssl.SSLContext, version: str
) -> None:
    request = post_bytes("/v1/chat/completions", chat_body("plain", stream=True))
    request = request.replace(b"HTTP/1.1\r\n", b"HTTP/%s\r\nConnection: close\r\n" % version.encode(), 1)

    received = read_to_the_end(secure_gateway, trusting, request)

    assert received.endswith((replies.DONE, b"0\r\n\r\n"))


def test_a_reply_that_is_cut_does_not_look_like_one_that_ended(
    secure_gateway: GatewayProcess, trusting: ssl.SSLContext, upstream: ScriptedUpstream
) -> None:
    async def cut_large_body(exchange: Exchange) -> None:
        await exchange.read_body()
        await exchange.send(replies.head(200, [faults.JSON_TYPE, faults.CHUNKED]))
        await exchange.send(replies.chunk(b"x" * 1_000_000))
        exchange.close()

    upstream.then(cut_large_body)
    request = post_bytes("/v1/chat/completions", chat_body("plain"))

    with pytest.raises(ssl.SSLError):
        read_to_the_end(secure_gateway, trusting, request.replace(b"HTTP/1.1", b"HTTP/1.0", 1))
