"""Everything a run needs, set up and taken down: the mock upstream, nginx, the gateways."""

from __future__ import annotations

import http.client
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from llmgw._native import MockUpstream
from llmgw.bench import gateway, nginx
from llmgw.bench.processes import Server, free_port, resident_bytes
from llmgw.bench.requests import Request, chat, get, message
from llmgw.bench.scenarios import Plan, Scenario

TRANSLATED = "llmgw-translated"
"""The plain gateway, asked in another dialect than its upstream's."""


class Subject(msgspec.Struct, frozen=True):
    """Something that answers requests on a port; the direct one has no process of its own."""

    name: str
    port: int
    processes: tuple[int, ...] = ()
    idle_bytes: int = 0
    """Resident memory before the first request."""


class Stage:
    """The subjects of a run, and the requests they are sent."""

    def __init__(self, plan: Plan, upstream: MockUpstream, key: str) -> None:
        self._plan = plan
        self.key = key
        self.upstream = upstream
        self._servers: list[Server] = []
        self.subjects = {"direct": Subject("direct", upstream.port)}

    def add(self, name: str, port: int, server: Server) -> None:
        """Take up a server that is ready, as a subject."""
        self._servers.append(server)
        processes = server.processes()
        self.subjects[name] = Subject(name, port, processes, resident_bytes(processes))

    def check(self) -> None:
        """Make sure that all servers still run.

        Raises:
            ServerError: one has ended.
        """
        for server in self._servers:
            server.check()

    def request(self, scenario: Scenario, subject: Subject) -> Request:
        """What this subject is sent: the same body, but for the model's public or upstream name."""
        if subject.name == "nginx-static":
            return get(nginx.STATIC_PATH)
        if subject.name == TRANSLATED:
            model, size = scenario.model, scenario.body_bytes
            return message(model, size, self.key, streamed=scenario.streamed)
        public = subject.name.startswith("llmgw-")
        return chat(
            scenario.model if public else self._plan.upstream_model(scenario),
            scenario.body_bytes,
            self.key,
            streamed=scenario.streamed,
            repeat=scenario.repeat,
        )

    def reply(self, scenario: Scenario) -> bytes:
        """The body of the mock upstream's reply to a scenario."""
        connection = http.client.HTTPConnection("127.0.0.1", self.upstream.port)
        request = self.request(scenario, self.subjects["direct"])
        body = request.data.partition(b"\r\n\r\n")[2]
        connection.request("POST", "/v1/chat/completions", body)
        reply = connection.getresponse().read()
        connection.close()
        return reply


@contextmanager
def set_up(plan: Plan, subjects: set[str], core: int | None) -> Iterator[Stage]:
    """Start what these subjects need, the servers pinned to `core`; stop it all in the end.

    Raises:
        ServerError: a server does not come up.
    """
    with ExitStack() as stack:
        # nginx's worker, another user when root starts it, reads the static reply in here.
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="llmgw-bench-")))
        folder.chmod(0o755)
        upstream = MockUpstream()
        stack.callback(upstream.stop)
        stage = Stage(plan, upstream, f"bench-{secrets.token_hex(16)}")
        if any(name.startswith("nginx") for name in subjects):
            _start_nginx(stage, plan, folder, core, stack)
        if TRANSLATED in subjects:
            subjects = subjects | {"llmgw-plain"}
        for variant in gateway.VARIANTS:
            if f"llmgw-{variant}" in subjects:
                _start_gateway(stage, plan, variant, folder, core, stack)
        if TRANSLATED in subjects:
            stage.subjects[TRANSLATED] = msgspec.structs.replace(
                stage.subjects["llmgw-plain"], name=TRANSLATED
            )
        yield stage


def _start_nginx(stage: Stage, plan: Plan, folder: Path, core: int | None, stack: ExitStack) -> None:
    program = nginx.find()
    if program is None:
        return
    home = folder / "nginx"
    home.mkdir()
    proxy_port, stream_port = free_port(), free_port()
    configuration = nginx.write_configuration(
        home, upstream_port=stage.upstream.port, proxy_port=proxy_port, stream_port=stream_port
    )
    cached = next((scenario for scenario in plan.scenario if scenario.repeat), plan.scenario[0])
    nginx.write_static_reply(home, stage.reply(cached))
    server = Server(nginx.command(program, configuration), {}, core, home)
    stack.callback(server.stop)
    for port in (proxy_port, stream_port):
        server.wait_for_port(port)
    stage.add("nginx-proxy", proxy_port, server)
    stage.add("nginx-static", proxy_port, server)
    stage.add("nginx-stream", stream_port, server)


def _start_gateway(
    stage: Stage, plan: Plan, variant: str, folder: Path, core: int | None, stack: ExitStack
) -> None:
    home = folder / variant
    (home / "state").mkdir(parents=True)
    port = free_port()
    settings = gateway.write_settings(
        home, variant, models=plan.models, upstream_port=stage.upstream.port, key=stage.key
    )
    environment = gateway.environment(home / "state", secrets.token_urlsafe(32))
    server = Server(gateway.command(settings, port), environment, core, home)
    stack.callback(server.stop)
    server.wait_for_port(port)
    stage.add(f"llmgw-{variant}", port, server)
