"""What `llmgw serve` was asked for on the command line, over what the file says."""

from pathlib import Path

import msgspec

from llmgw.settings.schema import ServerSettings


class ServeOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of one start; `None` leaves the choice to the file, then to the default."""

    config: Path | None = None
    """The settings file."""
    host: str | None = None
    """Address to listen on."""
    port: int | None = None
    """Port to listen on; 0 takes a free one."""
    workers: int | None = None
    """Worker processes."""
    metrics_auth: str | None = None
    """`key` or `none`."""
    env_files: tuple[Path, ...] = ()
    """Files of variables; the process's own win."""
    default_env_file: Path | None = Path(".env")
    """Read first, if it exists."""
    reload: bool = True
    """Take up changes of the settings file while running."""
    log_level: str = "info"
    """`debug`, `info`, `warning` or `error`."""
    debug: bool = False
    """Show tracebacks."""

    def over(self, server: ServerSettings) -> ServerSettings:
        """The file's section `server` with these options in it."""
        given = {
            name: value
            for name in ("host", "port", "workers", "metrics_auth")
            if (value := getattr(self, name)) is not None
        }
        return msgspec.structs.replace(server, **given)

    def to_json(self) -> str:
        """The options as text, for handing them to another process."""
        return msgspec.json.encode(self, enc_hook=str).decode()

    @classmethod
    def from_json(cls, text: str) -> "ServeOptions":
        """What `to_json` wrote."""
        return msgspec.json.decode(text, type=cls, dec_hook=lambda kind, value: kind(value))

    def debugging(self) -> "ServeOptions":
        """The same, with tracebacks."""
        return msgspec.structs.replace(self, debug=True)
