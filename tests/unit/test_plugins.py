"""Plugins add to the registries of the built-ins."""

from importlib.metadata import EntryPoint

import pytest

from llmgw.plugins import GROUP, PluginError, Registries, load_registries, providers_with_plugins
from llmgw.providers.compatible import Compatible


def register_acme(registries: Registries) -> None:
    registries.providers.add(Compatible(name="acme", base_url="https://acme.example/v1"))


def register_taken(registries: Registries) -> None:
    registries.providers.add(Compatible(name="openai"))


def plugin(function: str) -> EntryPoint:
    return EntryPoint("acme", f"{__name__}:{function}", GROUP)


def test_a_plugin_adds_a_provider() -> None:
    assert load_registries([plugin("register_acme")]).providers.get("acme") is not None


def test_built_ins_are_there_without_plugins() -> None:
    assert load_registries([]).providers.get("openai") is not None


def test_providers_are_looked_up_among_the_installed_plugins_too() -> None:
    assert providers_with_plugins().get("openai") is not None


def test_one_loading_does_not_reach_into_the_next() -> None:
    load_registries([plugin("register_acme")])
    assert load_registries([]).providers.get("acme") is None


@pytest.mark.parametrize(
    ("function", "reason"),
    [("register_taken", "registered twice"), ("register_nothing", "has no attribute")],
)
def test_a_plugin_that_fails_is_told_by_name(function: str, reason: str) -> None:
    with pytest.raises(PluginError, match=f"'acme' cannot be loaded: .*{reason}"):
        load_registries([plugin(function)])
