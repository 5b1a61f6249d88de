"""Write the golden signatures of `rust/core/src/sign/golden.json`, asking botocore.

python scripts/golden_signatures.py
"""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any
from unittest import mock

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

GOLDEN = Path(__file__).resolve().parent.parent / "rust" / "core" / "src" / "sign" / "golden.json"

# Well-known examples of AWS's documentation: nobody's keys.
KEY_ID, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
JSON = [["content-type", "application/json"]]
CLAUDE = "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0"
PROFILE = (
    "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2Fus.amazon.nova-pro-v1%3A0"
)


def case(about: str, path: str, **others: Any) -> dict[str, Any]:
    """One request; Converse in us-east-1 unless told otherwise."""
    region = others.get("region", "us-east-1")
    return {
        "about": about,
        "method": "POST",
        "region": region,
        "service": "bedrock",
        "host": f"bedrock-runtime.{region}.amazonaws.com",
        "path": path,
        "headers": JSON,
        "body": '{"messages":[]}',
        "session": None,
        "now": 1_700_000_000,
        **others,
    }


CASES = [
    case("a model's id with an encoded colon", f"{CLAUDE}/converse"),
    case("a stream, with a session token", f"{CLAUDE}/converse-stream", session="IQoJb3JpZ2luX2VjEJr//+=="),
    case("an ARN with an encoded slash", f"{PROFILE}/converse"),
    case("another region", f"{CLAUDE}/converse", region="eu-central-1"),
    case("a body that is not ASCII", f"{CLAUDE}/converse", body='{"text":"é 日本 😀"}'),
    case("a leap day", f"{CLAUDE}/converse", now=1_709_164_800),
    case("the last second of a year", f"{CLAUDE}/converse", now=1_798_761_599),
    case("the beginning of time", f"{CLAUDE}/converse", now=0),
    case(
        "a query that is not sorted",
        "/foundation-models?byProvider=anthropic&byOutputModality=TEXT&flag&byProvider=amazon&a=b%20c",
        method="GET",
        host="bedrock.us-east-1.amazonaws.com",
        headers=[],
        body="",
    ),
    case(
        "headers out of order, with spaces",
        f"{CLAUDE}/converse",
        headers=[["X-Zeta", "  a   b "], ["Accept", "*/*"], *JSON, ["x-amzn-bedrock-trace", "ENABLED"]],
    ),
    case("letters that are not reserved, and some that are", "/model/a-b_c.d~e!f*g(h)i'j@k$l,m;n=o+p/invoke"),
    case("segments that say nothing", "//model/./x/../nova%3A0//converse/"),
    case("nothing but the host", "/", method="GET", headers=[], body=""),
]


def sign(one: dict[str, Any]) -> dict[str, str]:
    """The headers that botocore adds."""
    url = f"https://{one['host']}{one['path']}"
    request = AWSRequest(one["method"], url, headers=dict(one["headers"]), data=one["body"].encode())
    signer = SigV4Auth(Credentials(KEY_ID, SECRET, one["session"]), one["service"], one["region"])
    now = datetime.datetime.fromtimestamp(one["now"], datetime.UTC)
    with mock.patch("botocore.auth.get_current_datetime", return_value=now):
        signer.add_auth(request)
    given = {name.lower() for name, _ in one["headers"]}
    return {name.lower(): value for name, value in request.headers.items() if name.lower() not in given}


def main() -> None:
    """Sign every request and write it down."""
    rows = [{**one, "signed": sign(one)} for one in CASES]
    lines = ",\n".join("  " + json.dumps(row, ensure_ascii=False) for row in rows)
    GOLDEN.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
