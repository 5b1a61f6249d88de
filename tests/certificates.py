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


class Authority:
    """A private certificate authority, and what it signs."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder = folder
        self._name = name
        self.cert_file = folder / f"{name}.pem"
        self._key_file = folder / f"{name}.key"
        _openssl(
            f"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN={name}"
            f" -addext basicConstraints=critical,CA:TRUE -keyout {self._key_file} -out {self.cert_file}"
        )

    def sign(self, name: str, names: str, *, expired: bool = False) -> Certificate:
        """A client's certificate for these names; one that is `expired` was good until yesterday."""
        made = Certificate(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        request = self._folder / f"{name}.csr"
        extensions = self._folder / f"{name}.ext"
        extensions.write_text(f"subjectAltName={names}\nbasicConstraints=critical,CA:FALSE\n")
        _openssl(
            f"req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN={name}"
            f" -keyout {made.key_file} -out {request}"
        )
        dates = "-days -1" if expired else "-days 2"
        _openssl(
            f"x509 -req -in {request} -CA {self.cert_file} -CAkey {self._key_file} {dates}"
            f" -extfile {extensions} -out {made.cert_file}"
        )
        return made


def fingerprint(made: Certificate) -> str:
    """SHA-256 of a certificate, in hex."""
    told = _openssl(f"x509 -in {made.cert_file} -noout -fingerprint -sha256")
    return told.partition("=")[2].strip().replace(":", "").lower()


def _openssl(command: str) -> str:
    done = subprocess.run(["openssl", *command.split()], check=True, capture_output=True, text=True)
    return done.stdout
