"""An upstream under HTTPS with a private certificate, as a configuration reaches it.

The core's own tests have HTTP/2 and every kind of bad certificate; these show that the settings arrive.
"""

import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.certificates import Certificate, make_certificate, needs_openssl
from tests.conftest import StartGateway, deployment, gateway_config
from tests.raw_http import Response
from tests.upstreams import replies

pytestmark = needs_openssl

Ask = Callable[..., Response]


class AnswerChat(BaseHTTPRequestHandler):
    """Gives every POST the same reply."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(replies.CHAT_BODY)))
        self.end_headers()
        self.wfile.write(replies.CHAT_BODY)

    def log_message(self, format: str, *args: Any) -> None:
        """Tests read no log."""


class SecureServer(ThreadingHTTPServer):
    """Under TLS; a handshake that the gateway breaks off is no news."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """The gateway's answer tells what went wrong."""


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    return make_certificate(tmp_path)


@pytest.fixture
def secure_port(certificate: Certificate) -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.cert_file, certificate.key_file)
    with SecureServer(("127.0.0.1", 0), AnswerChat) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.fixture
def ask(start_gateway: StartGateway, secure_port: int) -> Ask:
    """Chat through a gateway that reaches the server under a host, with these settings for `egress`."""

    def chat(host: str, **egress: Any) -> Response:
        base_url = f"https://{host}:{secure_port}/v1"
        return start_gateway(gateway_config(deployment("plain", base_url), egress=egress)).chat("plain")

    return chat


def assert_unreachable(response: Response) -> None:
    assert (response.status, response.error()["code"]) == (502, "upstream_unreachable")


def test_a_certificate_that_the_ca_file_holds_is_trusted(ask: Ask, certificate: Certificate) -> None:
    assert ask("127.0.0.1", ca_file=str(certificate.cert_file)).body == replies.CHAT_BODY


def test_a_certificate_that_nobody_vouches_for_is_refused(ask: Ask) -> None:
    assert_unreachable(ask("127.0.0.1"))


def test_a_private_address_behind_a_name_is_refused(ask: Ask, certificate: Certificate) -> None:
    assert_unreachable(ask("localhost", ca_file=str(certificate.cert_file)))


def test_a_private_address_behind_a_name_can_be_allowed(ask: Ask, certificate: Certificate) -> None:
    networks = ["127.0.0.0/8", "::1/128"]

    response = ask("localhost", ca_file=str(certificate.cert_file), allow_networks=networks)

    assert response.body == replies.CHAT_BODY
