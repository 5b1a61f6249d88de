"""The clouds' own services, as far as credentials are concerned: a server that answers by path."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs


class Service:
    """Answers by path, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, bytes]] = {}
        self.asked: list[tuple[str, dict[str, list[str]]]] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                path = self.path.partition("?")[0]
                service.asked.append((path, parse_qs(body.decode())))
                status, answer = service.answers.get(path, (404, b"{}"))
                self.send_response(status)
                self.send_header("Metadata-Flavor", "Google")
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_PUT = do_POST  # noqa: N815 - the names that the base class calls

            def log_message(self, *_: object) -> None:
                """Keep the tests quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()


def service_account(token_uri: str) -> dict[str, Any]:
    """A service account with a key that was made for it."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - comes with google-auth
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {
        "type": "service_account",
        "project_id": "mine",
        "private_key_id": "1",
        "private_key": pem.decode(),
        "client_email": "gateway@mine.iam.gserviceaccount.com",
        "token_uri": token_uri,
    }
