"""Plugins: packages whose entry point adds to the same registries that hold the built-ins.

An entry point of the group `llmgw.plugins` names a function that takes `Registries`.
"""

from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points

import msgspec

from llmgw.errors import LlmgwError
from llmgw.providers import providers
from llmgw.providers.base import Provider
from llmgw.registry import Registry

GROUP = "llmgw.plugins"


class PluginError(LlmgwError):
    """A plugin cannot be loaded; the text names it."""


class Registries(msgspec.Struct, frozen=True):
    """Everything a plugin may add to."""

    providers: Registry[Provider]


def load_registries(plugins: Iterable[EntryPoint] | None = None) -> Registries:
    """The built-ins, and what the installed plugins add; `plugins` are theirs unless given.

    Raises:
        PluginError: a plugin cannot be imported or refuses to register.
    """
    registries = Registries(providers=providers())
    for plugin in entry_points(group=GROUP) if plugins is None else plugins:
        try:
            plugin.load()(registries)
        except Exception as error:  # a plugin is foreign code: whatever it raises is told by its name
            raise PluginError(f"the plugin '{plugin.name}' cannot be loaded: {error}") from error
    return registries


def providers_with_plugins() -> Registry[Provider]:
    """The built-in providers and those of the installed plugins.

    Raises:
        PluginError: a plugin cannot be imported or refuses to register.
    """
    return load_registries().providers
