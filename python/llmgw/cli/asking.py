"""The options by which every command of the admin API says whom it asks, and how it prints the answer."""

# ruff: noqa: PLC0415 - as in llmgw.cli.app

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

if TYPE_CHECKING:
    from llmgw.cli.api import Api

Form = Literal["table", "json", "yaml", "csv"]


@Parameter(name="*")
@dataclass(frozen=True)
class Asking:
    """Whom to ask, and how to print the answer."""

    output: Annotated[Form, Parameter(name=["--output", "-o"])] = "table"
    """How to print: json, yaml and csv have every field."""
    json: Annotated[bool, Parameter(name="--json", negative="")] = False
    """The same as --output json."""
    url: str | None = None
    """The gateway. Default: $LLMGW_URL; without either, the local store if it is SQLite."""
    api_key: str | None = None
    """The key to show to it. Default: $LLMGW_API_KEY, the admin key."""

    @property
    def form(self) -> Form:
        """How to print."""
        return "json" if self.json else self.output

    def api(self) -> "Api":
        """Whom to ask. Keys of an older version's file are taken over first.

        Raises:
            CommandError: there is no key to show.
        """
        from llmgw.cli.api import LocalApi, find_api
        from llmgw.cli.import_keys import import_keys
        from llmgw.cli.situation import Situation
        from llmgw.settings.environment import Environment

        environment = Environment.of_process((), Path(".env"))
        situation = Situation.of(environment.config_file(), (), no_env_file=False)
        api = find_api(situation, self.url, self.api_key)
        if isinstance(api, LocalApi):
            import_keys(situation)
        return api


DEFAULT = Asking()
