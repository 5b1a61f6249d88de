"""Options of the command line over the file's."""

from pathlib import Path

from llmgw.settings.process import ServeOptions
from llmgw.settings.schema import ServerSettings


def test_options_that_were_given_win() -> None:
    server = ServeOptions(port=8080, metrics_auth="none").over(ServerSettings(host="::1", port=1))
    assert (server.host, server.port, server.metrics_auth) == ("::1", 8080, "none")


def test_port_zero_is_an_option_too() -> None:
    assert ServeOptions(port=0).over(ServerSettings()).port == 0


def test_options_that_were_not_given_change_nothing() -> None:
    assert ServeOptions().over(ServerSettings(workers=3)) == ServerSettings(workers=3)


def test_options_survive_the_way_to_another_process() -> None:
    options = ServeOptions(config=Path("a.yaml"), port=1, env_files=(Path("b"),), default_env_file=None)
    assert ServeOptions.from_json(options.to_json()) == options
