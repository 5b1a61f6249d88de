"""One request on a connection of its own."""

from tests.gateway_process import GatewayProcess, authorization
from tests.integration.pass_through.conftest import OPEN_KEY
from tests.raw_http import Response, request_bytes

JSON = ("Content-Type", "application/json")


def send(
    gateway: GatewayProcess,
    method: str,
    path: str,
    body: bytes | None = None,
    headers: list[tuple[str, str]] | None = None,
    key: str | None = OPEN_KEY,
) -> Response:
    """Send it and read the reply."""
    data = request_bytes(method, path, [*authorization(key), *(headers or [])], body)
    with gateway.connect() as client:
        client.send(data)
        return client.read_response(with_body=method != "HEAD")
