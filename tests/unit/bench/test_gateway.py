"""How the benchmark starts the gateway."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmgw.bench import gateway
from llmgw.settings.environment import Environment
from llmgw.settings.load import load_settings


@pytest.mark.parametrize("variant", gateway.VARIANTS)
def test_the_settings_of_every_variant_are_valid(variant: str, tmp_path: Path) -> None:
    models = {"public": "bench?chunks=2"}
    path = gateway.write_settings(
        tmp_path, variant, models=models, upstream_port=1234, key="bench-0123456789abcdef"
    )
    settings = load_settings(path, Environment({})).settings
    (entry,) = settings.model_list
    assert entry.litellm_params is not None
    assert entry.litellm_params.model == "openai/bench?chunks=2"
    assert (settings.pii is not None, settings.cache is not None) == (
        variant == "pii",
        variant == "cache",
    )
    assert settings.keys[0].rpm_limit
    assert settings.keys[0].tpm_limit


def test_the_gateways_own_variables_do_not_reach_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMGW_CONFIG", "/somewhere/else.yaml")
    monkeypatch.setenv("LANG", "C.UTF-8")
    environment = gateway.environment(Path("/home"), "key")
    assert "LLMGW_CONFIG" not in environment
    assert environment["LLMGW_HOME"] == "/home"
    assert environment["LANG"] == "C.UTF-8"
