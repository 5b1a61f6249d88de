"""Forms that could be read in two ways, or not at all: refused before an upstream has one whole."""

import pytest

from tests.forms import BOUNDARY, field, file, form, form_type, part_head
from tests.gateway_process import GatewayProcess
from tests.upstreams.scripted import ScriptedUpstream

PATH = "/v1/audio/transcriptions"
MODEL = part_head("model", None) + b"plain\r\n"
LAST = f"--{BOUNDARY}--\r\n".encode()
WRONG = {
    "another boundary": b"--other\r\n" + MODEL + LAST,
    "a preamble": b"hello\r\n" + MODEL + LAST,
    "no end": MODEL,
    "something behind": MODEL + LAST + b"more",
    "two models": MODEL + MODEL + LAST,
    "no model": part_head("language", None) + b"en\r\n" + LAST,
    "a model that is a file": part_head("model", "model.txt") + b"plain\r\n" + LAST,
    "a model that is not UTF-8": part_head("model", None) + b"\xff\xfe\r\n" + LAST,
    "a model in base64": MODEL.replace(b"\r\n\r\n", b"\r\nContent-Transfer-Encoding: base64\r\n\r\n") + LAST,
    "huge headers": f"--{BOUNDARY}\r\nX: {'a' * 9000}\r\n\r\n".encode() + LAST,
    "too many parts": MODEL + (part_head("a", None) + b"\r\n") * 130 + LAST,
    "nothing": b"",
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_form_is_refused(gateway: GatewayProcess, upstream: ScriptedUpstream, name: str) -> None:
    response = gateway.post(PATH, WRONG[name], headers=[form_type()])

    assert (response.status, response.error()["code"]) == (400, "invalid_request")
    assert not any(request.complete.is_set() for request in upstream.requests)


@pytest.mark.parametrize(
    ("value", "status"),
    [
        ("application/json", 415),
        ("multipart/mixed; boundary=a", 415),
        ("multipart/form-data", 400),
        (f"multipart/form-data; boundary={'a' * 71}", 400),
        ("multipart/form-data; boundary=a; boundary=b", 400),
        ('multipart/form-data; boundary="a', 400),
    ],
)
def test_a_content_type_without_a_usable_boundary_is_refused(
    gateway: GatewayProcess, upstream: ScriptedUpstream, value: str, status: int
) -> None:
    assert (
        gateway.post(
            PATH, form([field("model", "plain"), file(b"sound")]), headers=[("Content-Type", value)]
        ).status
        == status
    )
    assert not upstream.requests
