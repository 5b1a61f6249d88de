"""The database goes and comes back: the admin API says so, and the rest goes on."""

from pathlib import Path

from tests.gateway_process import GatewayProcess, wait_until
from tests.integration.admin.client import Admin
from tests.integration.admin.conftest import CONFIG
from tests.services import PostgresServer


def test_without_its_database_the_admin_api_says_so_and_recovers(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    server = PostgresServer(postgres._folder.with_name(f"{postgres._folder.name}-gone"))
    with server:
        environment = {"LLMGW_DATABASE_URL": server.url}
        with GatewayProcess(tmp_path, CONFIG, env=environment) as gateway:
            admin = Admin(gateway.url)
            wait_until(lambda: admin.ask("GET", "/teams").status_code == 200, "the tables are there")
            key = admin.make("/keys", alias="k", admin_role="viewer")["key"]
            server.kill()
            problem = admin.get("/teams", 503)
            assert problem["type"] == "urn:llmgw:problem:store-unavailable"
            admin.as_key(key).get("/teams", 503)
            assert admin.get("/status")["database"]["up"] is False
            assert admin.get("/me")["kind"] == "master"
            assert gateway.chat("m").status == 200
            server.start()
            wait_until(lambda: admin.ask("GET", "/teams").status_code == 200, "the database is back")
            assert admin.as_key(key).get("/me")["name"] == "k"
            admin.close()
