"""Where the gateway may connect."""

from pathlib import Path

import pytest

from llmgw.gateway.snapshot import EgressPolicy, MediaPolicy
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


def test_media_are_not_fetched_unless_asked_for() -> None:
    assert compiled("egress: {allow_networks: [10.0.0.0/8]}").media is None


def test_an_empty_section_fetches_within_the_usual_bounds() -> None:
    usual = MediaPolicy(max_bytes=20 * 1024 * 1024, max_items=20, timeout=10.0, allow_hosts=())
    assert compiled("egress: {fetch_media: {}}").media == usual


def test_hosts_are_passed_on_in_lower_case() -> None:
    hosts = "[CDN.example.com, '*.example.org', 'cdn.example.com:8443', '[::1]:9443']"
    media = compiled(f"egress: {{fetch_media: {{allow_hosts: {hosts}}}}}").media
    assert media is not None
    assert media.allow_hosts == ("cdn.example.com", "*.example.org", "cdn.example.com:8443", "[::1]:9443")


@pytest.mark.parametrize("host", ["https://a.example", "a.example/x", "a.example:0", "*", "a b", "user@a"])
def test_what_is_no_host_is_told(host: str) -> None:
    (found,) = problems(f"egress: {{fetch_media: {{allow_hosts: ['{host}']}}}}")
    assert "egress.fetch_media.allow_hosts[0]: expected a host such as example.com" in found
