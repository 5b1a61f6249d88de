"""Secrets are fetched by reference and never show."""

from pathlib import Path

import pytest

from llmgw.settings.secrets import Secret, SecretReference, UnresolvedReferenceError, resolve_text


@pytest.mark.parametrize("text", ["os.environ/KEY_1", "env:KEY_1", "env.KEY_1", "${KEY_1}"])
def test_every_spelling_of_a_variable_resolves(text: str) -> None:
    reference = SecretReference(text)
    assert reference.resolve({"KEY_1": "value"}).reveal() == "value"
    assert not reference.is_literal


def test_a_variable_within_a_text_resolves() -> None:
    assert resolve_text("https://${HOST}/v1", {"HOST": "models.example"}) == "https://models.example/v1"


def test_a_file_resolves_without_its_line_end(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("value\n")
    assert SecretReference(f"file:{file}").resolve({}).reveal() == "value"


@pytest.mark.parametrize("environment", [{}, {"KEY": ""}])
def test_an_unset_or_empty_variable_is_told_by_name(environment: dict[str, str]) -> None:
    with pytest.raises(UnresolvedReferenceError, match="the environment variable KEY is not set"):
        SecretReference("env:KEY").resolve(environment)


def test_a_missing_file_is_told_by_path(tmp_path: Path) -> None:
    with pytest.raises(UnresolvedReferenceError, match="No such file"):
        SecretReference(f"file:{tmp_path}/none").resolve({})


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("\n")
    with pytest.raises(UnresolvedReferenceError, match="is empty"):
        SecretReference(f"file:{tmp_path}/key").resolve({})


def test_a_file_without_end_is_refused() -> None:
    with pytest.raises(UnresolvedReferenceError, match="larger than 64 KiB"):
        SecretReference("file:/dev/zero").resolve({})


@pytest.mark.parametrize("text", ["sk-literal", "environment", "env: KEY", "file:relative", "$KEY"])
def test_other_texts_are_literal(text: str) -> None:
    reference = SecretReference(text)
    assert reference.is_literal
    assert reference.resolve({}).reveal() == text


@pytest.mark.parametrize("form", ["{}", "{!r}", "{!s}", "{:>40}"])
def test_no_form_of_a_secret_shows_its_value(form: str) -> None:
    for secret in (Secret("canary"), SecretReference("canary"), SecretReference("canary-${X}")):
        shown = form.format(str(secret) if ">" in form else secret)
        assert "canary" not in shown


def test_a_reference_shows_where_it_leads() -> None:
    assert repr(SecretReference("env:KEY")) == "SecretReference('env:KEY')"


def test_secrets_compare_by_value() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert len({Secret("a"), Secret("a")}) == 1
