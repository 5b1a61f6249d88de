"""From a settings file and the environment to `Settings`."""

from pathlib import Path

import msgspec

from llmgw.settings.decode import decode
from llmgw.settings.environment import Environment
from llmgw.settings.parse import Tree, parse
from llmgw.settings.problems import Problem, Report, SettingsError
from llmgw.settings.schema import Settings
from llmgw.settings.secrets import SecretReference, UnresolvedReference

_LARGEST_FILE = 4 * 1024 * 1024


class Loaded(msgspec.Struct, frozen=True):
    """Settings, the environment that their references see, and the place of every value."""

    settings: Settings
    environment: Environment
    report: Report
    """Holds the warnings so far; `wiring` adds to it."""


def load_settings(path: Path | None, environment: Environment) -> Loaded:
    """Read a settings file; without one, the defaults.

    Raises:
        SettingsError: the file cannot be read or used; lists every problem found.
    """
    if path is None:
        return Loaded(Settings(), environment, Report())
    return read_settings(_read(path), str(path), environment)


def read_settings(text: str, file: str, environment: Environment) -> Loaded:
    """Read settings from text; `file` is the name that problems are told with.

    Raises:
        SettingsError: the text cannot be used; lists every problem found.
    """
    parsed = parse(text, file)
    report = Report(file, parsed.lines)
    environment = _with_own_variables(parsed.tree, environment, report)
    settings = decode(parsed.tree, Settings, report, environment)
    report.raise_errors()
    if settings is None:
        raise SettingsError([Problem("cannot be used", file=file)])
    _warn_of_literals(settings, report)
    return Loaded(settings, environment, report)


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise SettingsError([Problem("larger than 4 MiB", file=str(path))])
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        reason = error.strerror or "cannot be read"
        raise SettingsError([Problem(f"cannot be read: {reason}", file=str(path))]) from None
    except UnicodeDecodeError:
        raise SettingsError([Problem("not UTF-8 text", file=str(path))]) from None


def _with_own_variables(tree: Tree, environment: Environment, report: Report) -> Environment:
    """The environment with the file's `environment_variables`, which win as they do in LiteLLM."""
    section = tree.get("environment_variables") if isinstance(tree, dict) else None
    if not isinstance(section, dict):
        return environment
    values: dict[str, str] = {}
    for name, value in section.items():
        if not isinstance(value, str | int | float):
            continue  # no value, or one that decoding will refuse
        try:
            values[name] = SecretReference(str(value)).resolve(environment).reveal()
        except UnresolvedReference as error:
            report.error(("environment_variables", name), str(error))
    return environment.with_values(values)


def _warn_of_literals(settings: Settings, report: Report) -> None:
    advice = "a key stands in the file; better a reference such as env:NAME or file:/path"
    if _is_literal(settings.general_settings.master_key):
        report.warn(("general_settings", "master_key"), advice)
    for index, entry in enumerate(settings.model_list):
        spelling = "params" if entry.params is not None else "litellm_params"
        params = entry.params or entry.litellm_params
        if params is not None and _is_literal(params.api_key):
            report.warn(("model_list", index, spelling, "api_key"), advice)
    for index, key in enumerate(settings.keys):
        if _is_literal(key.key):
            report.warn(("keys", index, "key"), advice)


def _is_literal(reference: SecretReference | None) -> bool:
    return reference is not None and reference.is_literal
