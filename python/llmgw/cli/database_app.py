"""The options of `llmgw db` and `llmgw secrets`; what each command does is in `llmgw.cli.database`."""

# ruff: noqa: PLC0415 - as in llmgw.cli.app

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

if TYPE_CHECKING:
    from llmgw.cli.situation import Situation

Json = Annotated[bool, Parameter(name="--json", negative="")]
Config = Annotated[Path | None, Parameter(name=["--config", "-c"])]

db = App(name="db", help="The database: its tables and backups of it.")
secrets = App(name="secrets", help="Credentials in the database, and the key that they are sealed under.")


@db.command(name="upgrade")
def upgrade_(*, config: Config = None) -> int:
    """Bring the database's tables to this version of llmgw; a start does it too.

    Parameters
    ----------
    config
        The settings file. Default: $LLMGW_CONFIG.
    """
    from llmgw.cli.database import run_upgrade

    return run_upgrade(_situation(config))


@db.command
def current(*, config: Config = None, json: Json = False) -> int:
    """Show where the database is and at which version: exit code 4 if it is not this one.

    Parameters
    ----------
    config
        The settings file. Default: $LLMGW_CONFIG.
    json
        Print JSON.
    """
    from llmgw.cli.database import run_current

    return run_current(_situation(config), as_json=json)


@db.command
def backup(file: Path, /, *, config: Config = None) -> int:
    """Write everything that is in the database to a new file, as of one instant; the gateway may run.

    Parameters
    ----------
    file
        Lines of JSON, compressed if it ends with .gz, which any database takes back; or, of SQLite, a copy of
        the database if it ends with .db. The key that credentials are sealed under is not in it.
    config
        The settings file. Default: $LLMGW_CONFIG.
    """
    from llmgw.cli.database import run_backup

    return run_backup(_situation(config), file)


@db.command
def restore(file: Path, /, *, config: Config = None) -> int:
    """Fill an empty database with what a backup holds: of the same kind of database or of another.

    Parameters
    ----------
    file
        What `llmgw db backup` wrote.
    config
        The settings file. Default: $LLMGW_CONFIG.
    """
    from llmgw.cli.database import run_restore

    return run_restore(_situation(config), file)


@secrets.command
def rotate_master(*, config: Config = None) -> int:
    """Put every credential in the database under a new key, while the gateway runs.

    The key is made in the state folder. Where $LLMGW_MASTER_SEAL_KEY holds the keys, put a new one before
    those that are in it, everywhere, and then run this.

    Parameters
    ----------
    config
        The settings file. Default: $LLMGW_CONFIG.
    """
    from llmgw.cli.database import rotate_master as run

    return run(_situation(config))


def _situation(config: Path | None) -> "Situation":
    from llmgw.cli.situation import Situation

    return Situation.of(config, (), False)
