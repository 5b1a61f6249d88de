"""The check of AWS's request signatures (version 4), from the server's side."""

import hashlib
import hmac
import re
from urllib.parse import quote

from tests.upstreams.scripted import Request

AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/(?P<date>\d{8})/(?P<region>[^/]+)/(?P<service>[^/]+)/"
    r"aws4_request, ?SignedHeaders=(?P<signed>[^,]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)
MUST_BE_SIGNED = {"host", "x-amz-date"}


def signature_problem(request: Request, key: str, secret: str, region: str, service: str) -> str | None:
    """What is wrong with a request's signature, or None."""
    found = AUTHORIZATION.fullmatch(request.header("authorization") or "")
    stamp = request.header("x-amz-date") or ""
    if found is None:
        return "Missing Authentication Token"
    signed = found["signed"].split(";")
    if (found["key"], found["region"], found["service"]) != (key, region, service):
        return "The security token included in the request is invalid."
    if not set(signed) >= MUST_BE_SIGNED or not stamp.startswith(found["date"]):
        return "Credential should be scoped to a valid date, and host and date should be signed."
    digest = request.header("x-amz-content-sha256") or hashlib.sha256(request.body).hexdigest()
    if digest != hashlib.sha256(request.body).hexdigest():
        return "The provided x-amz-content-sha256 header does not match what was computed."
    scope = f"{found['date']}/{region}/{service}/aws4_request"
    canonical = _canonical(request, signed, digest)
    to_sign = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    expected = hmac.new(_signing_key(secret, scope), to_sign.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, found["signature"]):
        return "The request signature we calculated does not match the signature you provided."
    return None


def _canonical(request: Request, signed: list[str], digest: str) -> str:
    path, _, query = request.path.partition("?")
    lines = [f"{name}:{' '.join((request.header(name) or '').split())}\n" for name in signed]
    pairs = sorted(query.split("&")) if query else []
    # AWS escapes the path as it is on the wire once more: a `:` in a model's id becomes `%253A`.
    escaped = quote(path, safe="/-_.~")
    return "\n".join(["POST", escaped, "&".join(pairs), "".join(lines), ";".join(signed), digest])


def _signing_key(secret: str, scope: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key
