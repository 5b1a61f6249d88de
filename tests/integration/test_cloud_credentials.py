"""The clouds' own libraries get credentials from services as the clouds run them; here, small stand-ins."""

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from llmgw.providers import aws_credentials, google_token
from llmgw.providers.base import AwsAccess
from llmgw.providers.leases import LeaseError
from llmgw.settings.environment import Environment
from llmgw.settings.secrets import Secret
from tests.upstreams.clouds import Service, service_account

NOTHING = Environment({})
SOON = datetime.now(UTC) + timedelta(hours=1)
AWS_TIME = SOON.strftime("%Y-%m-%dT%H:%M:%SZ")


# ── Google ──────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def google(service: Service) -> Service:
    pytest.importorskip("google.auth")
    token = json.dumps({"access_token": "ya29.token", "expires_in": 3600, "token_type": "Bearer"})
    service.answers["/token"] = (200, token.encode())
    return service


def test_a_service_account_signs_for_a_token(google: Service) -> None:
    lease = google_token.fetch_token(service_account(f"{google.url}/token"))
    assert lease.value.reveal() == "ya29.token"
    assert lease.expires_at == pytest.approx(time.time() + 3600, abs=10)
    ((_, form),) = google.asked
    assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]


def test_a_refused_service_account_is_told_in_googles_words(google: Service) -> None:
    google.answers["/token"] = (400, b'{"error": "invalid_grant", "error_description": "account not found"}')
    with pytest.raises(LeaseError, match="account not found"):
        google_token.fetch_token(service_account(f"{google.url}/token"))


def test_workload_identity_exchanges_a_token_from_a_file(google: Service, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("of-the-cluster")
    answer = {
        "access_token": "federated",
        "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "token_type": "Bearer",
        "expires_in": 3600,
    }
    google.answers["/sts"] = (200, json.dumps(answer).encode())
    lease = google_token.fetch_token(
        {
            "type": "external_account",
            "audience": "//iam.googleapis.com/projects/1/locations/global/pools/p/providers/q",
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "token_url": f"{google.url}/sts",
            "credential_source": {"file": str(file)},
        }
    )
    assert lease.value.reveal() == "federated"
    assert google.asked[0][1]["subject_token"] == ["of-the-cluster"]


def test_a_machine_of_googles_gets_its_token_from_the_metadata_server(
    google: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    account = "/computeMetadata/v1/instance/service-accounts/default/"
    google.answers["/"] = (200, b"computeMetadata/")
    google.answers["/computeMetadata/v1/project/project-id"] = (200, b"mine")
    about = {"email": "machine@mine.iam.gserviceaccount.com", "scopes": [], "aliases": []}
    google.answers[account] = (200, json.dumps(about).encode())
    google.answers[account + "token"] = google.answers["/token"]
    host = google.url.removeprefix("http://")
    monkeypatch.setenv("GCE_METADATA_HOST", host)
    monkeypatch.setenv("GCE_METADATA_IP", host)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    # The module looks the host up when it is imported.
    metadata = pytest.importorskip("google.auth.compute_engine._metadata")
    for name in ("_GCE_METADATA_HOST", "_METADATA_ROOT", "_METADATA_IP_ROOT"):
        if hasattr(metadata, name):
            prefix = "" if name == "_GCE_METADATA_HOST" else "http://"
            suffix = "/computeMetadata/v1/" if name == "_METADATA_ROOT" else ""
            monkeypatch.setattr(metadata, name, f"{prefix}{host}{suffix}")
    assert google_token.fetch_token(None).value.reveal() == "ya29.token"


def test_credentials_of_an_unknown_kind_are_told(google: Service) -> None:
    with pytest.raises(LeaseError, match="the type new_kind are not known"):
        google_token.fetch_token({"type": "new_kind"})


# ── AWS ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def aws(service: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Service:
    pytest.importorskip("botocore")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return service


def assumed(action: str) -> bytes:
    """The token service's answer to an action."""
    return f"""
        <{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{action}Result>
        <Credentials><AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>temporary</SecretAccessKey>
        <SessionToken>session</SessionToken><Expiration>{AWS_TIME}</Expiration></Credentials>
        </{action}Result></{action}Response>""".encode()


def role(service: Service, **more: Any) -> AwsAccess:
    return AwsAccess(aws_role_name="arn:aws:iam::1:role/gateway", aws_sts_endpoint=service.url, **more)


BASE = aws_credentials.AccessKey("AKIA", Secret("secret"))


def fetch(access: AwsAccess, base: aws_credentials.AccessKey | None = None) -> Any:
    return aws_credentials.fetch_key(access, "eu-central-1", base, NOTHING)


def test_a_role_is_assumed_with_the_key_that_is_given(aws: Service) -> None:
    aws.answers["/"] = (200, assumed("AssumeRole"))
    lease = fetch(role(aws, aws_external_id="outside", aws_session_name="mine"), BASE)
    assert lease.value == aws_credentials.AccessKey("ASIA", Secret("temporary"), Secret("session"))
    assert lease.expires_at == int(SOON.timestamp())
    form = aws.asked[0][1]
    assert (form["RoleSessionName"], form["ExternalId"]) == (["mine"], ["outside"])


def test_a_role_is_assumed_with_the_token_of_another_identity_provider(aws: Service) -> None:
    aws.answers["/"] = (200, assumed("AssumeRoleWithWebIdentity"))
    lease = fetch(role(aws, aws_web_identity_token=Secret("of-the-cluster")))
    assert lease.value.id == "ASIA"
    assert aws.asked[0][1]["WebIdentityToken"] == ["of-the-cluster"]


def test_a_refused_role_is_told_in_awss_words(aws: Service) -> None:
    error = b"<Error><Code>AccessDenied</Code><Message>not for you</Message></Error>"
    aws.answers["/"] = (403, b"<ErrorResponse>" + error + b"</ErrorResponse>")
    with pytest.raises(LeaseError, match="not for you"):
        fetch(role(aws), BASE)


def test_a_profile_of_the_shared_files_is_read(aws: Service, tmp_path: Path) -> None:
    (tmp_path / "credentials").write_text("[mine]\naws_access_key_id = AKIAFILE\naws_secret_access_key = s\n")
    (tmp_path / "config").write_text("[profile mine]\nregion = eu-west-3\n")
    access = AwsAccess(aws_profile_name="mine")
    assert fetch(access).value.id == "AKIAFILE"
    assert aws_credentials.profile_region(access, NOTHING) == "eu-west-3"


def test_a_profile_that_is_not_there_is_told(aws: Service) -> None:
    with pytest.raises(LeaseError, match="mine"):
        fetch(AwsAccess(aws_profile_name="mine"))


def test_a_task_gets_its_key_from_the_container_service(
    aws: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{aws.url}/task")
    key = {"AccessKeyId": "ASIATASK", "SecretAccessKey": "s", "Token": "t", "Expiration": AWS_TIME}
    aws.answers["/task"] = (200, json.dumps(key).encode())
    lease = fetch(AwsAccess())
    assert lease.value == aws_credentials.AccessKey("ASIATASK", Secret("s"), Secret("t"))
    assert lease.expires_at == pytest.approx(time.time() + 300, abs=10)


def test_a_machine_of_awss_gets_its_key_from_the_metadata_service(
    aws: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "false")
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", aws.url)
    key = {"Code": "Success", "AccessKeyId": "ASIAEC2", "SecretAccessKey": "s", "Token": "t"}
    roles = "/latest/meta-data/iam/security-credentials/"
    aws.answers["/latest/api/token"] = (200, b"imds")
    aws.answers[roles] = (200, b"machine")
    aws.answers[roles + "machine"] = (200, json.dumps({**key, "Expiration": AWS_TIME}).encode())
    assert fetch(AwsAccess()).value.id == "ASIAEC2"


def test_a_machine_without_credentials_is_told(aws: Service) -> None:
    with pytest.raises(LeaseError, match="none are configured"):
        fetch(AwsAccess())
