"""Certificates made for one test with the program openssl."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the program openssl")


@dataclass
class Certificate:
    """A self-signed certificate and its key, as PEM files: who trusts it trusts itself alone."""

    cert_file: Path
    key_file: Path


def make_certificate(folder: Path, names: str = "DNS:localhost,IP:127.0.0.1") -> Certificate:
    """A certificate for these names, valid now."""
    made = Certificate(folder / "cert.pem", folder / "key.pem")
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test"
    )
    command += f" -addext subjectAltName={names} -addext basicConstraints=critical,CA:FALSE"
    command += f" -keyout {made.key_file} -out {made.cert_file}"
    subprocess.run(command.split(), check=True, capture_output=True)
    return made
