"""`llmgw serve`: the options of the command line, and below them those of the environment."""

from collections.abc import Mapping

import msgspec

from llmgw.cli import USAGE, CommandError
from llmgw.settings.environment import Environment
from llmgw.settings.process import ServeOptions


def serve_options(asked: ServeOptions) -> ServeOptions:
    """What was asked for; what was not comes from the environment, if it says.

    `HOST` is not looked at: shells and build tools set it to other things.

    Raises:
        CommandError: a variable is not a number, or the settings file does not exist.
    """
    environment = Environment.of_process(asked.env_files, asked.default_env_file)
    config = asked.config or environment.config_file()
    if config is not None and not config.is_file():
        raise CommandError(
            f"there is no settings file {config}",
            hint="without --config the gateway starts with the mock and the providers whose keys are set",
            status=USAGE,
        )
    return msgspec.structs.replace(
        asked,
        config=config,
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
