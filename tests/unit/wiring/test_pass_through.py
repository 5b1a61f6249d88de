"""The section `pass_through` to what the native core passes through."""

import re
from pathlib import Path

import pytest

from llmgw._native import Gateway
from llmgw.endpoints.models import model_endpoints
from llmgw.endpoints.ops import openapi_endpoint, ops_endpoints
from llmgw.gateway.snapshot import Deployment, PassThrough
from llmgw.model import PATHS
from llmgw.wiring.pass_through import OPEN, RESERVED
from tests.unit.configurations import compiled, problems, warnings

MODEL = "model_list: [{model_name: a, params: {model: mock/a}, model_info: {id: first}}]\n"
KEYED = {"ANTHROPIC_API_KEY": "anthropic-credential"}


def entry(name: str, fields: str = "", paths: str = "[/v1/]") -> str:
    return f"{MODEL}pass_through:\n  {name}: {{paths: {paths}{fields}}}\n"


def only(text: str, **environment: str) -> tuple[PassThrough, Deployment]:
    snapshot = compiled(text, **environment)
    (way,) = snapshot.pass_through
    return way, snapshot.deployments[way.deployment]


def test_nothing_is_passed_through_unless_it_is_configured() -> None:
    assert compiled(MODEL).pass_through == ()


def test_a_name_alone_means_the_provider_of_that_name() -> None:
    way, deployment = only(entry("anthropic"), **KEYED)
    assert (way.name, way.paths, way.base_path, way.headers) == ("anthropic", ("/v1/",), "", ())
    assert (deployment.id, deployment.provider) == ("pass_through/anthropic", "anthropic")
    assert ("x-api-key", "anthropic-credential") in deployment.headers


def test_parameters_say_how_another_is_reached() -> None:
    fields = ", params: {model: 'openai/*', api_base: 'https://llm.example/v1', api_key: env:K}"
    way, deployment = only(entry("mine", fields), K="own-credential")
    assert (way.name, deployment.provider) == ("mine", "openai")
    assert ("authorization", "Bearer own-credential") in deployment.headers


def test_a_deployment_may_lend_its_address_and_credential() -> None:
    snapshot = compiled(entry("mine", ", deployment: first"))
    assert [one.id for one in snapshot.deployments] == ["first"]
    assert snapshot.pass_through[0].deployment == 0


def test_deployments_of_pass_throughs_are_of_no_group() -> None:
    snapshot = compiled(entry("anthropic"), **KEYED)
    grouped = {index for group in snapshot.groups for index in group.deployments}
    assert snapshot.pass_through[0].deployment not in grouped


def test_headers_are_told_in_lower_case() -> None:
    way, _ = only(entry("anthropic", ", headers: [X-Team]"), **KEYED)
    assert way.headers == ("x-team",)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (entry("v1"), "'/v1/' is a path of llmgw's own; choose another name"),
        (entry("metrics"), "'/metrics/' is a path of llmgw's own; choose another name"),
        (entry("nobody"), "unknown provider 'nobody'"),
        (entry("mine", ", deployment: frist"), "no deployment of the id 'frist'; did you mean 'first'?"),
        (
            entry("mine", ", deployment: first", "[/v1/../x]"),
            "a path without '.' and '..' segments is expected",
        ),
        (entry("mine", ", deployment: first, base_path: /..", "[/]"), "a path without '.' and '..' segments"),
        (
            entry("mine", ", deployment: first, headers: [Cookie]"),
            "the header 'Cookie' is never passed through",
        ),
        (entry("mine", ", deployment: first, headers: [x-amz-date]"), "'x-amz-date' is never passed through"),
        (
            entry("mine", ", deployment: first, params: {model: mock/a}"),
            "give either deployment, litellm_params",
        ),
        (entry("mine", ", deployment: first", "[]"), "length >= 1"),
        (entry("mine", ", deployment: first", "[v1]"), "matching regex"),
        (entry("mine", ", deployment: first", "[/v1//x]"), "matching regex"),
        (entry("mine", ", deployment: first", "[/v1%2f]"), "matching regex"),
        (entry("mine", ", deployment: first, methods: [TRACE]"), "TRACE"),
        (entry("Mine", ", deployment: first"), "matching regex"),
        (MODEL + "pass_through: {mine: {deployment: first}}", "paths"),
    ],
)
def test_what_cannot_be_passed_through_is_told(text: str, told: str) -> None:
    found = problems(text)
    assert len(found) == 1
    assert told in found[0]


def test_a_key_may_be_given_names_and_is_warned_of_unknown_ones() -> None:
    keys = "keys: [{alias: k, digest: '" + "0" * 64 + "', pass_through: [mine, mien, '*']}]\n"
    text = entry("mine", ", deployment: first") + keys
    assert compiled(text).auth.keys[1].pass_through == ("mine", "mien", "*")
    (told,) = (each for each in warnings(text) if "pass_through" in each)
    assert "nothing is passed as 'mien'; did you mean 'mine'?" in told


def test_no_path_of_our_own_can_be_hidden(tmp_path: object) -> None:
    gateway = Gateway(f"{tmp_path}/shared", 0)
    controls = [*model_endpoints(gateway, 0), *ops_endpoints(gateway, "key", Path()), openapi_endpoint([])]
    ours = {row.path for row in controls} | {path for one in PATHS for path in one.paths}
    first = {path.split("/")[1] for path in ours if re.match(r"/[^/]+/", path)}
    assert first - RESERVED <= OPEN
    # What Python serves is matched after the pass-throughs, so none of it may lie below an open name.
    assert not [row.path for row in controls if row.path.split("/")[1] in OPEN]
