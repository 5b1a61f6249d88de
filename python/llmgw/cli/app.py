"""The commands and their options; what each does is in a module of its own, loaded when called."""

# ruff: noqa: PLC0415 - what a command needs is loaded when it runs, so that `serve` stays small

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, CycloptsError, Group, Parameter, validators

from llmgw.cli import OK, USAGE
from llmgw.cli.asking import DEFAULT, Asking
from llmgw.cli.database_app import db, secrets
from llmgw.cli.keys_app import keys
from llmgw.cli.ledger_app import ledger, spend
from llmgw.cli.objects_app import Sets, changer, deleter, events, lister, noun_apps, usage
from llmgw.settings.environment import Environment
from llmgw.settings.process import ServeOptions

Json = Annotated[bool, Parameter(name="--json", negative="")]
Config = Annotated[Path | None, Parameter(name=["--config", "-c"])]
EnvFiles = Annotated[tuple[Path, ...], Parameter(name="--env-file", negative="")]
NoEnvFile = Annotated[bool, Parameter(name="--no-env-file", negative="")]
Port = Annotated[int | None, Parameter(validator=validators.Number(gte=0, lte=65535))]
Workers = Annotated[int | None, Parameter(validator=validators.Number(gte=1, lte=1024))]

app = App(
    name="llmgw",
    help="One OpenAI-compatible endpoint in front of every model.",
    help_epilogue="Every command takes --debug, which shows tracebacks.",
    version_flags=["--version"],
    help_format="plaintext",
)
app["--help"].group = app["--version"].group = Group("Options")
app.command(keys)
models = App(name="models", help="What is known of models: windows, abilities, prices.")
app.command(models)
app.command(db)
app.command(secrets)
app.command(ledger)
app.command(spend)
app.command(usage)
app.command(events)
for each in noun_apps():
    app.command(each)
models.command(lister("models"), name="deployments")
models.command(changer("models"), name="update")
models.command(deleter("models"), name="remove")


def parse(arguments: list[str]) -> int | ServeOptions:
    """Run the command; its exit code, or for `serve` what to start."""
    try:
        result = app(arguments, exit_on_error=False, result_action="return_value")
    except CycloptsError:  # already printed
        return USAGE
    return result if isinstance(result, int | ServeOptions) else OK


@app.command
def serve(  # noqa: PLR0913 - each is an option
    *,
    config: Config = None,
    host: str | None = None,
    port: Port = None,
    workers: Workers = None,
    metrics_auth: Literal["key", "none"] | None = None,
    log_level: Literal["debug", "info", "warning", "error"] = "info",
    env_file: EnvFiles = (),
    no_env_file: NoEnvFile = False,
    reload: bool = True,
) -> ServeOptions:
    """Start the gateway.

    Parameters
    ----------
    config
        The settings file. Default: $LLMGW_CONFIG; without one, the mock and the providers whose keys are set.
    host
        Address to listen on. Default: $LLMGW_HOST, the settings file, 127.0.0.1.
    port
        Port to listen on. Default: $LLMGW_PORT, $PORT, the settings file, 4000.
    workers
        Worker processes. Default: $LLMGW_WORKERS, $NUM_WORKERS, the settings file, one per core.
    metrics_auth
        Whether /metrics asks for the admin key.
    log_level
        The least severe messages that are logged.
    env_file
        A file of NAME=value lines; the process's own variables win.
    no_env_file
        Do not read ./.env.
    reload
        Take up changes of the settings file while running.
    """
    from llmgw.cli.process import serve_options

    asked = ServeOptions(
        config=config,
        host=host,
        port=port,
        workers=workers,
        metrics_auth=metrics_auth,
        log_level=log_level,
        env_files=env_file,
        default_env_file=None if no_env_file else Path(".env"),
        reload=reload,
    )
    return serve_options(asked)


@app.command
def check(
    *,
    config: Config = None,
    env_file: EnvFiles = (),
    no_env_file: NoEnvFile = False,
    json: Json = False,
) -> int:
    """Check a settings file without starting: exit code 1, and every problem, if it cannot be used.

    Parameters
    ----------
    config
        The settings file. Default: $LLMGW_CONFIG.
    env_file
        A file of NAME=value lines; the process's own variables win.
    no_env_file
        Do not read ./.env.
    json
        Print JSON.
    """
    from llmgw.cli.check import check as run
    from llmgw.cli.situation import Situation

    return run(Situation.of(config, env_file, no_env_file), as_json=json)


@app.command
def doctor(
    *,
    config: Config = None,
    env_file: EnvFiles = (),
    no_env_file: NoEnvFile = False,
    live: Annotated[bool, Parameter(negative="")] = False,
    json: Json = False,
) -> int:
    """Look for what keeps a gateway from running well: exit code 4 if something does.

    Parameters
    ----------
    config
        The settings file. Default: $LLMGW_CONFIG.
    env_file
        A file of NAME=value lines; the process's own variables win.
    no_env_file
        Do not read ./.env.
    live
        Also connect to every provider. Spends no tokens and sends no credential.
    json
        Print JSON.
    """
    from llmgw.cli.doctor import doctor as run
    from llmgw.cli.situation import Situation

    return run(Situation.of(config, env_file, no_env_file), live=live, as_json=json)


@app.command
def version(*, json: Json = False) -> int:
    """Print the version.

    Parameters
    ----------
    json
        Print JSON, with the versions of what it runs on.
    """
    from llmgw.cli.version import version as run

    return run(as_json=json)


@app.command(help_flags=(), version_flags=())
def bench(*arguments: Annotated[str, Parameter(allow_leading_hyphen=True)]) -> int:
    """Measure the gateway on this machine; `llmgw bench --help` lists its own options.

    Parameters
    ----------
    arguments
        Passed on as they are.
    """
    from llmgw.bench import main as run

    return run(list(arguments))


@app.command
def chat(
    message: str | None = None,
    /,
    *,
    model: Annotated[str | None, Parameter(name=["--model", "-m"])] = None,
    system: str | None = None,
    url: str | None = None,
) -> int:
    """Talk to a model through a running gateway; without a message, a conversation.

    The key is $LLMGW_API_KEY, $LLMGW_MASTER_KEY, or the generated admin key of the state folder.

    Parameters
    ----------
    message
        What to say; `-` reads it from standard input.
    model
        The model. Default: the first that the gateway lists.
    system
        The system message.
    url
        The gateway. Default: $LLMGW_URL, http://127.0.0.1:4000.
    """
    from llmgw.cli.chat import chat as run

    return run(Environment.of_process(default_file=Path(".env")), message, model, system, url)


@app.command
def configure(
    client: str,
    /,
    *,
    url: str | None = None,
    api_key: str | None = None,
    model: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    write: Annotated[bool, Parameter(name="--write", negative="--print")] = False,
    show_key: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Point a client at a gateway: claude, codex, gemini, cursor, aider, opencode.

    Prints the client's settings, or writes them into its own files beside what stands there.

    Parameters
    ----------
    client
        Which one.
    url
        The gateway. Default: $LLMGW_URL, http://127.0.0.1:4000.
    api_key
        The key that the client shows. Default: $LLMGW_API_KEY.
    model
        A model to use; repeatable, the first is the default. Claude Code takes the last for small tasks.
    write
        Write the files instead of printing what belongs in them.
    show_key
        Print the key too, instead of a stand-in.
    """
    from llmgw.cli.configure import Wanted
    from llmgw.cli.configure import configure as run
    from llmgw.settings.secrets import Secret

    wanted = Wanted(
        client=client,
        url=url,
        key=Secret(api_key) if api_key else None,
        models=model,
        write=write,
        show_key=show_key,
    )
    return run(_state_environment(), Path.home(), wanted)


@models.command(name="list")
def list_models(
    *,
    provider: str | None = None,
    search: str = "",
    config: Config = None,
    json: Json = False,
) -> int:
    """List models that llmgw knows; those that it does not know are served all the same.

    Parameters
    ----------
    provider
        Only this provider's.
    search
        Only those whose name holds this text.
    config
        A settings file whose model_catalogue counts too. Default: $LLMGW_CONFIG.
    json
        Print JSON.
    """
    from llmgw.cli.models import list_models as run
    from llmgw.cli.situation import Situation

    return run(Situation.of(config, (), no_env_file=False), provider, search, as_json=json)


@models.command
def price(model: str, /, *, config: Config = None, json: Json = False) -> int:
    """Show what is known of a model, and what it costs.

    Parameters
    ----------
    model
        Its name, as in a settings file: openai/gpt-4o. Without a provider, every provider's of this name.
    config
        A settings file whose model_catalogue counts too. Default: $LLMGW_CONFIG.
    json
        Print JSON.
    """
    from llmgw.cli.models import price as run
    from llmgw.cli.situation import Situation

    return run(Situation.of(config, (), no_env_file=False), model, as_json=json)


@models.command
def add(
    name: str,
    model: str,
    /,
    *,
    api_base: str | None = None,
    credential: str | None = None,
    set_: Sets = (),
    asking: Asking = DEFAULT,
) -> int:
    """Make a deployment in the store: a model of a provider under a name of ours.

    Parameters
    ----------
    name
        The model group: what clients ask for.
    model
        The provider's model, as in a settings file: openai/gpt-4o.
    api_base
        The base URL, if it is not the provider's own.
    credential
        The name or id of the credential that it shows.
    set_
        FIELD=VALUE of the admin API over these; repeatable.
    """
    from llmgw.cli.deployments import add as run
    from llmgw.cli.objects import assignments

    return run(asking.api(), name, model, api_base, credential, assignments(set_), asking.form)


def _state_environment() -> Environment:
    return Environment.of_process(default_file=Path(".env"))
