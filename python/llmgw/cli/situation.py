"""What a command looks at: the settings file, the environment, and the state folder as they are now."""

from pathlib import Path

import msgspec

from llmgw import _native
from llmgw.cli import USAGE, CommandError
from llmgw.gateway.snapshot import Snapshot
from llmgw.plugins import providers_with_plugins
from llmgw.settings.environment import Environment
from llmgw.settings.load import Loaded, load_settings
from llmgw.settings.problems import Problem, SettingsError
from llmgw.state import State, StateFolder, passing_state
from llmgw.wiring import compile_snapshot


class Situation(msgspec.Struct, frozen=True):
    """Where to look."""

    config: Path | None
    environment: Environment
    folder: StateFolder

    @classmethod
    def of(cls, config: Path | None, env_files: tuple[Path, ...], no_env_file: bool) -> "Situation":
        """The situation of this process.

        Raises:
            CommandError: the settings file does not exist.
            EnvironmentFileError: a `.env` file cannot be read.
        """
        environment = Environment.of_process(env_files, None if no_env_file else Path(".env"))
        config = config or environment.config_file()
        if config is not None and not config.is_file():
            raise CommandError(f"there is no settings file {config}", status=USAGE)
        return cls(config, environment, StateFolder.locate(environment))

    def load(self) -> Loaded:
        """The settings.

        Raises:
            SettingsError: they cannot be used.
        """
        return load_settings(self.config, self.environment)

    def state(self) -> State:
        """What the state folder holds; before the first start, what it might.

        Raises:
            StateError: the folder cannot be used.
            SettingsError: its `keys.yaml` cannot be used.
        """
        if not self.folder.pepper_file.exists():
            return passing_state()
        state = self.folder.read()
        if state.master_key is None:  # the first start will make it
            state = msgspec.structs.replace(state, master_key=passing_state().master_key)
        return state

    def compile(self, loaded: Loaded, state: State) -> Snapshot:
        """The snapshot that these settings give; warnings go to `loaded.report`.

        Raises:
            SettingsError: something does not resolve, or the native core does not take it.
            PluginError: a plugin cannot be loaded.
        """
        providers = providers_with_plugins()
        snapshot = compile_snapshot(loaded.settings, loaded.environment, state, loaded.report, providers)
        try:
            _native.check_snapshot(snapshot.encode())
        except ValueError as error:
            file = None if self.config is None else str(self.config)
            raise SettingsError([Problem(str(error), file=file)]) from None
        return snapshot
