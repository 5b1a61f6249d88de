"""`llmgw serve`: the options of the command line, and below them those of the environment."""

from collections.abc import Mapping

import msgspec

from llmgw.cli import USAGE, CommandError
from llmgw.settings.environment import Environment
from llmgw.settings.process import ServeOptions


def serve_options(asked: ServeOptions) -> ServeOptions:
    """What was asked for, and from the environment what was not.

    Raises:
        CommandError: a variable is not a number, or the settings file does not exist.
        EnvironmentFileError: a `.env` file cannot be read.
    """
    environment = Environment.of_process(asked.env_files, asked.default_env_file)
    options = with_environment(asked, environment)
    if options.config is not None and not options.config.is_file():
        raise CommandError(
            f"there is no settings file {options.config}",
            hint="without --config the gateway starts with the mock and the providers whose keys are set",
            status=USAGE,
        )
    return options


def with_environment(asked: ServeOptions, environment: Environment) -> ServeOptions:
    """The options, completed by `LLMGW_CONFIG`, `LLMGW_HOST`, `LLMGW_PORT` and `LLMGW_WORKERS`.

    LiteLLM's `PORT` and `NUM_WORKERS` count too. `HOST` does not: shells and build tools set it to
    other things.

    Raises:
        CommandError: a variable is not a number in its range.
    """
    return msgspec.structs.replace(
        asked,
        config=asked.config or environment.config_file(),
        host=asked.host or environment.get("LLMGW_HOST") or None,
        port=_number(asked.port, environment, ("LLMGW_PORT", "PORT"), range(65536)),
        workers=_number(asked.workers, environment, ("LLMGW_WORKERS", "NUM_WORKERS"), range(1, 1025)),
    )


def _number(
    asked: int | None, environment: Mapping[str, str], names: tuple[str, ...], allowed: range
) -> int | None:
    if asked is not None:
        return asked
    for name in names:
        text = environment.get(name)
        if not text:
            continue
        if not text.isdecimal() or int(text) not in allowed:
            message = f"{name} must be a number from {allowed.start} to {allowed.stop - 1}"
            raise CommandError(message, status=USAGE)
        return int(text)
    return None
