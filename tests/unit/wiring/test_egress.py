"""Where the gateway may connect."""

from pathlib import Path

from llmgw.gateway.snapshot import EgressPolicy
from tests.unit.configurations import compiled, problems


def test_networks_are_passed_on_in_one_form() -> None:
    egress = compiled("egress: {allow_networks: [10.0.0.0/8, 192.168.1.7, 'FD00::/8']}").egress
    assert egress == EgressPolicy(allow_networks=("10.0.0.0/8", "192.168.1.7/32", "fd00::/8"), ca_file=None)


def test_what_is_no_network_is_told() -> None:
    (found,) = problems("egress: {allow_networks: [10.0.0.1/8]}")
    assert "egress.allow_networks[0]: expected a network such as 10.0.0.0/8" in found


def test_a_trust_file_has_to_be_there(tmp_path: Path) -> None:
    (found,) = problems(f"egress: {{ca_file: {tmp_path}/none.pem}}")
    assert "egress.ca_file: there is no file" in found
    (tmp_path / "ca.pem").touch()
    assert compiled(f"egress: {{ca_file: {tmp_path}/ca.pem}}").egress.ca_file == f"{tmp_path}/ca.pem"
