"""From a settings file and the environment to `Settings`."""

from collections.abc import Iterator
from pathlib import Path as FilePath

import msgspec

from llmgw.settings.decode import decode
from llmgw.settings.environment import Environment
from llmgw.settings.models import Params
from llmgw.settings.parse import Tree, parse
from llmgw.settings.problems import Path, Problem, Report, SettingsError
from llmgw.settings.schema import Settings
from llmgw.settings.secrets import SecretReference, UnresolvedReferenceError

_LARGEST_FILE = 4 * 1024 * 1024


class Loaded(msgspec.Struct, frozen=True):
    """Settings, the environment that their references see, and the place of every value."""

    settings: Settings
    environment: Environment
    report: Report
    """Holds the warnings so far; `wiring` adds to it."""


def load_settings(path: FilePath | None, environment: Environment) -> Loaded:
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


def _read(path: FilePath) -> str:
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
        except UnresolvedReferenceError as error:
            report.error(("environment_variables", name), str(error))
    return environment.with_values(values)


def references(settings: Settings) -> Iterator[tuple[Path, SecretReference]]:
    """Every secret of the settings, with its path; of `environment_variables` none, as they are sources."""
    if (admin := settings.general_settings.master_key) is not None:
        yield ("general_settings", "master_key"), admin
    for index, entry in enumerate(settings.model_list):
        params = entry.params or entry.litellm_params
        if params is None:
            continue
        path = ("model_list", index, "params" if entry.params is not None else "litellm_params")
        yield from _of_params(params, path)
    for index, key in enumerate(settings.keys):
        if key.key is not None:
            yield ("keys", index, "key"), key.key


def _of_params(params: Params, path: Path) -> Iterator[tuple[Path, SecretReference]]:
    for field in msgspec.structs.fields(params):
        value = getattr(params, field.name)
        if isinstance(value, SecretReference):
            yield (*path, field.name), value
    for name, value in params.extra_headers.items():
        yield (*path, "extra_headers", name), value


def _warn_of_literals(settings: Settings, report: Report) -> None:
    for path, reference in references(settings):
        if reference.is_literal and "extra_headers" not in path and not _names_file(path, reference):
            report.warn(path, "a key stands in the file; better a reference: env:NAME or file:/path")


def _names_file(path: Path, reference: SecretReference) -> bool:
    """Google's credentials may be written as the path of their file, which is no secret."""
    return path[-1] == "vertex_credentials" and not reference.is_json
