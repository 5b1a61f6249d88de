"""nginx as the yardstick: a generated configuration, one worker, kept-alive connections."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

STATIC_PATH = "/static/reply.json"

_CONFIGURATION = """\
daemon off;
worker_processes 1;
worker_rlimit_nofile 65536;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 16384; }}
http {{
    access_log off;
    tcp_nodelay on;
    sendfile on;
    open_file_cache max=16;
    types {{ application/json json; }}
    keepalive_timeout 600s;
    keepalive_requests 1000000000;
    client_max_body_size 16m;
    client_body_buffer_size 1m;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_read_timeout 600s;
    upstream mock {{
        server 127.0.0.1:{upstream_port};
        keepalive 2048;
        keepalive_requests 1000000000;
        keepalive_timeout 600s;
    }}
    server {{
        listen 127.0.0.1:{proxy_port} backlog=4096;
        location / {{ proxy_pass http://mock; }}
        location /static/ {{ root {folder}; }}
    }}
    server {{
        listen 127.0.0.1:{stream_port} backlog=4096;
        location / {{ proxy_pass http://mock; proxy_buffering off; }}
    }}
}}
"""


def find() -> str | None:
    """The nginx program, or `None` when it is not installed."""
    return shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")


def version(program: str) -> str:
    """As nginx states it: `nginx/1.22.1`."""
    told = subprocess.run([program, "-v"], capture_output=True, text=True, check=True)
    return told.stderr.strip().rpartition(" ")[2]


def write_configuration(folder: Path, *, upstream_port: int, proxy_port: int, stream_port: int) -> Path:
    """The configuration file, and the folder of the static reply beside it."""
    (folder / "static").mkdir()
    # Started by root, nginx works as another user, who must be able to read the static reply.
    for opened in (folder, folder / "static"):
        opened.chmod(0o755)
    path = folder / "nginx.conf"
    path.write_text(
        _CONFIGURATION.format(
            folder=folder,
            upstream_port=upstream_port,
            proxy_port=proxy_port,
            stream_port=stream_port,
        )
    )
    return path


def write_static_reply(folder: Path, reply: bytes) -> None:
    """The file behind `STATIC_PATH`."""
    (folder / STATIC_PATH.lstrip("/")).write_bytes(reply)


def command(program: str, configuration: Path) -> list[str]:
    """How nginx is started in the foreground."""
    return [program, "-p", str(configuration.parent), "-c", str(configuration)]
