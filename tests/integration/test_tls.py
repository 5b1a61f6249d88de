"""HTTPS on the listening side, with a certificate made for the test."""

import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import KEYS_ENVIRONMENT, deployment, gateway_config
from tests.gateway_process import GatewayProcess, chat_body, post_bytes
from tests.raw_http import RawClient
from tests.upstreams import faults, replies
from tests.upstreams.scripted import ScriptedUpstream

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the program openssl")


@pytest.fixture
def secure_gateway(tmp_path: Path, upstream: ScriptedUpstream) -> Iterator[GatewayProcess]:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    command += f" -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout {key} -out {certificate}"
    subprocess.run(command.split(), check=True, capture_output=True)
    tls = {"cert_file": str(certificate), "key_file": str(key)}
    config = gateway_config(deployment("plain", upstream.base_url), server={"tls": tls})
    context = ssl.create_default_context(cafile=str(certificate))
    with GatewayProcess(tmp_path, config, env=KEYS_ENVIRONMENT, tls=context) as gateway:
        yield gateway


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
