"""Certificates of clients over real TLS: who is let in by one, and who does not even get to ask."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.certificates import Authority, Certificate, fingerprint, make_certificate, needs_openssl
from tests.conftest import APP_KEY, KEYS_ENVIRONMENT, deployment, gateway_config
from tests.gateway_process import GatewayProcess, chat_body, post_bytes
from tests.raw_http import RawClient, Response
from tests.upstreams.scripted import ScriptedUpstream

pytestmark = needs_openssl

OTHER_KEY = "other-key-0123456789abcdef"


class Front:
    """A gateway that takes certificates of one authority, and clients that show them."""

    def __init__(self, folder: Path, upstream: ScriptedUpstream, client_auth: str) -> None:
        self.server = make_certificate(folder)
        self.authority, self.strange = Authority(folder), Authority(folder, "strange")
        self.pinned = self.authority.sign("pinned", "DNS:pinned.example")
        self.named = self.authority.sign("named", "URI:spiffe://acme/app")
        self.nobody = self.authority.sign("nobody", "DNS:nobody.example")
        keys = [
            {"alias": "app", "key": APP_KEY, "certificates": [fingerprint(self.pinned)]},
            {"alias": "service", "certificates": ["uri:spiffe://acme/app"]},
            {"alias": "other", "key": OTHER_KEY},
            {"alias": "gone", "certificates": ["dns:gone.example"], "blocked": True},
        ]
        tls = {
            "cert_file": str(self.server.cert_file),
            "key_file": str(self.server.key_file),
            "client_ca_file": str(self.authority.cert_file),
            "client_auth": client_auth,
        }
        served = deployment("plain", upstream.base_url)
        config = gateway_config(served, server={"tls": tls}, keys=keys)
        shown = self.context(self.nobody)
        self.process = GatewayProcess(folder, config, env=KEYS_ENVIRONMENT, tls=shown)

    def context(self, shown: Certificate | None) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.server.cert_file)
        if shown is not None:
            context.load_cert_chain(shown.cert_file, shown.key_file)
        return context

    def ask(self, shown: Certificate | None, key: str | None = None) -> Response:
        with RawClient(self.process.port, tls=self.context(shown)) as client:
            client.send(post_bytes("/v1/chat/completions", chat_body("plain"), key))
            return client.read_response()

    def refuses(self, shown: Certificate | None) -> bool:
        """Whether the handshake itself fails; with TLS 1.3 a client learns of that at its first read."""
        try:
            self.ask(shown, OTHER_KEY)
        except (OSError, AssertionError, EOFError):
            return True
        return False


@pytest.fixture
def front(tmp_path: Path, upstream: ScriptedUpstream) -> Iterator[Front]:
    front = Front(tmp_path, upstream, "optional")
    with front.process:
        yield front


def test_a_certificate_stands_for_the_key_that_names_it(front: Front) -> None:
    assert front.ask(front.pinned).status == 200
    assert front.ask(front.named).status == 200
    metrics = front.process.metrics()
    assert any('key_alias="service"' in name for name in metrics), "the request is filed under its key"


def test_a_certificate_of_nobody_needs_a_key(front: Front) -> None:
    assert front.ask(front.nobody).status == 401
    assert front.ask(front.nobody, OTHER_KEY).status == 200
    assert front.ask(None).status == 401
    assert front.ask(None, APP_KEY).status == 200


def test_key_and_certificate_have_to_belong_together(front: Front) -> None:
    assert front.ask(front.pinned, APP_KEY).status == 200
    for shown, key in ((front.named, APP_KEY), (front.nobody, APP_KEY), (front.pinned, OTHER_KEY)):
        reply = front.ask(shown, key)
        assert (reply.status, reply.error()["type"]) == (400, "invalid_request_error")


def test_the_certificate_of_a_blocked_key_is_refused(front: Front) -> None:
    reply = front.ask(front.authority.sign("gone", "DNS:gone.example"))
    assert (reply.status, reply.error()["message"]) == (401, "The API key is blocked.")


def test_strange_and_expired_certificates_do_not_get_to_ask(front: Front) -> None:
    assert front.refuses(front.strange.sign("fake", "URI:spiffe://acme/app"))
    assert front.refuses(front.authority.sign("old", "URI:spiffe://acme/app", expired=True))
    assert front.refuses(make_certificate(front.process.home / "state"))
    assert not front.refuses(front.nobody)


def test_where_certificates_are_required_nobody_comes_without(
    tmp_path: Path, upstream: ScriptedUpstream
) -> None:
    front = Front(tmp_path, upstream, "required")
    with front.process:
        assert front.refuses(None)
        assert front.ask(front.nobody, OTHER_KEY).status == 200


def test_the_control_plane_knows_certificates_too(front: Front) -> None:
    with RawClient(front.process.port, tls=front.context(front.named)) as client:
        client.send(b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n")
        reply = client.read_response()
    assert (reply.status, [one["id"] for one in reply.json()["data"]]) == (200, ["plain"])


def test_nobody_claims_a_certificate_by_a_header(front: Front) -> None:
    claim = f"x-llmgw-certificate: {fingerprint(front.pinned)}"
    with RawClient(front.process.port, tls=front.context(None)) as client:
        client.send(f"GET /v1/models HTTP/1.1\r\nHost: localhost\r\n{claim}\r\n\r\n".encode())
        assert client.read_response().status == 401
