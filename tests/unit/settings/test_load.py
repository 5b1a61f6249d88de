"""Files to settings."""

from pathlib import Path

import pytest

from llmgw.settings.environment import Environment
from llmgw.settings.load import load_settings, references
from llmgw.settings.problems import SettingsError, dotted
from llmgw.settings.schema import Settings
from tests.unit.configurations import problems, read

NOTHING = Environment({})


def test_without_a_file_the_defaults_are_taken() -> None:
    assert load_settings(None, NOTHING).settings == Settings()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.yaml", "cache: {ttl: 5}"),
        ("a.yml", "cache:\n  ttl: 5\n"),
        ("a.toml", "[cache]\nttl = 5\n"),
        ("a.json", '{"cache": {"ttl": 5}}'),
    ],
)
def test_the_extension_tells_the_format(tmp_path: Path, name: str, text: str) -> None:
    file = tmp_path / name
    file.write_text(text)
    cache = load_settings(file, NOTHING).settings.cache
    assert cache is not None
    assert cache.ttl == 5


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read: No such file"):
        load_settings(tmp_path / "none.yaml", NOTHING)


def test_a_file_that_is_not_text_is_told(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_bytes(b"\xff\xfe\x00a")
    with pytest.raises(SettingsError, match="not UTF-8 text"):
        load_settings(file, NOTHING)


def test_a_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_bytes(b"\xef\xbb\xbfpii: {mode: block}")
    assert load_settings(file, NOTHING).settings.pii is not None


def test_references_see_the_variables_of_the_file_first() -> None:
    text = "environment_variables: {PORT_HERE: 81}\nserver: {port: env:PORT_HERE}\n"
    assert read(text, PORT_HERE="80").settings.server.port == 81


def test_a_variable_of_the_file_may_be_a_reference() -> None:
    loaded = read("environment_variables: {A: os.environ/B, EMPTY: }\n", B="value")
    assert loaded.environment["A"] == "value"
    assert "EMPTY" not in loaded.environment


def test_a_variable_of_the_file_that_leads_nowhere_is_told() -> None:
    found = problems("environment_variables: {A: os.environ/B}")
    assert found == ["llmgw.yaml:1: environment_variables.A: the environment variable B is not set"]


def test_a_literal_key_loads_with_a_warning_that_does_not_show_it() -> None:
    loaded = read("keys:\n  - alias: a\n    key: sk-canary-canary-canary\n")
    (warning,) = loaded.report.warnings
    assert str(warning).startswith("llmgw.yaml:3: keys[0].key: a key stands in the file")
    assert "canary" not in str(warning)


def test_every_secret_of_the_settings_is_found() -> None:
    loaded = read(
        """
        model_list:
          - model_name: a
            params: {model: azure/a, api_key: env:A, azure_ad_token: env:B, extra_headers: {x: env:C}}
          - model_name: b
            litellm_params: {model: openai/b, api_key: env:D}
        general_settings: {master_key: env:E}
        keys: [{alias: k, key: env:F}]
        """
    )
    assert [dotted(path) for path, _ in references(loaded.settings)] == [
        "general_settings.master_key",
        "model_list[0].params.api_key",
        "model_list[0].params.azure_ad_token",
        "model_list[0].params.extra_headers.x",
        "model_list[1].litellm_params.api_key",
        "keys[0].key",
    ]
