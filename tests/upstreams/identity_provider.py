"""A small OpenID provider: signs by joserfc, checks what clients send, rolls keys over, fails on demand."""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jws
from joserfc.jwk import ECKey, Key, RSAKey

CLIENT = "llmgw"
SECRET = "client-secret"


class IdentityProvider:
    """An issuer on this machine. `faults` change what it answers: `fault(path, status, body)`."""

    def __init__(self) -> None:
        self.user: dict[str, Any] = {
            "sub": "alice",
            "email": "alice@example.com",
            "email_verified": True,
            "name": "Alice",
            "groups": ["llm-users"],
        }
        self.keys: dict[str, Key] = {}
        self.asked: list[str] = []
        self.faults: dict[str, tuple[int, bytes]] = {}
        self.delay = 0.0
        self.change_claims: Callable[[dict[str, Any]], None] = lambda claims: None
        self._codes: dict[str, dict[str, str]] = {}
        self.roll_over()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()

    def roll_over(self, *, keep: bool = False, rsa: bool = False) -> None:
        """Sign by a new key from now on, and publish the old ones no longer unless told so."""
        kept = self.keys if keep else {}
        fresh = RSAKey.generate_key(2048) if rsa else ECKey.generate_key("P-256")
        self.keys = {**kept, secrets.token_hex(4): fresh}

    def token(self, *, alg: str | None = None, key: Key | None = None, **claims: Any) -> str:
        """A token of the newest key."""
        kid = list(self.keys)[-1]
        signing = key or self.keys[kid]
        alg = alg or ("RS256" if isinstance(signing, RSAKey) else "ES256")
        now = int(time.time())
        told = {"iss": self.url, "sub": "alice", "aud": CLIENT, "iat": now, "exp": now + 300, **claims}
        told = {name: value for name, value in told.items() if value is not None}
        header = {"alg": alg, "kid": kid}
        return jws.serialize_compact(header, json.dumps(told), signing, algorithms=[alg])

    def authorise(self, url: str) -> str:
        """What a browser does: opens the page of the login, agrees, and is sent back: to where."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert query["response_type"] == "code" and query["client_id"] == CLIENT
        assert query["code_challenge_method"] == "S256" and "openid" in query["scope"].split()
        code = secrets.token_urlsafe(16)
        self._codes[code] = query
        return f"{query['redirect_uri']}?code={code}&state={query['state']}"

    def _answer(self, path: str, form: dict[str, str], basic: str | None) -> tuple[int, bytes]:
        self.asked.append(path)
        time.sleep(self.delay)
        if path in self.faults:
            return self.faults[path]
        match path:
            case "/.well-known/openid-configuration":
                return 200, json.dumps(self._document()).encode()
            case "/keys":
                public = [{**key.as_dict(private=False), "kid": kid} for kid, key in self.keys.items()]
                return 200, json.dumps({"keys": public}).encode()
            case "/token":
                return self._exchange(form, basic)
        return 404, b"{}"

    def _document(self) -> dict[str, Any]:
        places = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
        return {"issuer": self.url, **{name: f"{self.url}/{path}" for name, path in places.items()}}

    def _exchange(self, form: dict[str, str], basic: str | None) -> tuple[int, bytes]:
        """A code for a token, once, for whom it was given to and who holds the verifier."""
        asked = self._codes.pop(form.get("code", ""), None)
        if asked is None or form.get("grant_type") != "authorization_code":
            return 400, b'{"error":"invalid_grant"}'
        expected = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if basic != expected or form.get("redirect_uri") != asked["redirect_uri"]:
            return 401, b'{"error":"invalid_client"}'
        if challenge != asked["code_challenge"]:
            return 400, b'{"error":"invalid_grant"}'
        access = secrets.token_urlsafe(24)
        half = base64.urlsafe_b64encode(hashlib.sha256(access.encode()).digest()[:16]).rstrip(b"=").decode()
        claims = {**self.user, "nonce": asked["nonce"], "at_hash": half}
        self.change_claims(claims)
        answer = {"access_token": access, "token_type": "Bearer", "id_token": self.token(**claims)}
        return 200, json.dumps(answer).encode()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                form = {
                    name: values[0] for name, values in parse_qs(self.rfile.read(length).decode()).items()
                }
                path = urlsplit(self.path).path
                status, body = provider._answer(path, form, self.headers.get("authorization"))
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                if status in (301, 302, 307):
                    self.send_header("location", provider.url + "/keys")
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET  # noqa: N815 - the name that the base class calls

            def log_message(self, *_: object) -> None:
                """Keep the tests quiet."""

        return Handler
