"""A sealed secret opens as what it was sealed as, and as nothing else."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from llmgw.settings.environment import Environment
from llmgw.settings.secrets import Secret
from llmgw.store import keyring, sealing
from llmgw.store.keyring import Keyring, KeyringError, derive
from llmgw.store.sealing import Bound, Kek, Unsealable

KEK = derive(Secret("0123456789abcdef" * 4))
OTHER = derive(Secret("fedcba9876543210" * 4))
RING = {KEK.id: KEK}
BOUND = Bound("credential", "cred_1", "https://api.openai.com:443")
SECRET = Secret("sk-canary-7f3a")

# Sealed once with the key above; what was sealed must open for ever.
KNOWN = (
    "4c47533143cd19b57158de3b25df5eca31094cbe78bff33cb3127a85871cff86be77bcd1ea8654958eea69c455"
    "db371e11df80b755bcc64d55ff0ce1c8b9900ddf0fa0838de2a3e5ac0a2f11cd174bb2de4f9c8915e70356cfc3ceef63f27619517333eb9a4b39e5dbec22af3ada7589be0b8cb37a2deb21745a"
)


def test_a_secret_that_was_sealed_long_ago_opens() -> None:
    assert sealing.unseal(RING, BOUND, bytes.fromhex(KNOWN)) == SECRET


def test_the_form_is_what_the_module_says() -> None:
    """Taken apart by hand, as somebody without this module would."""
    sealed = sealing.seal(KEK, BOUND, SECRET)
    kek_id, dek_id, nonce, wrapped = sealed[4:12], sealed[12:20], sealed[20:32], sealed[32:80]
    dek = AESGCM(bytes.fromhex(KEK.key.reveal())).decrypt(nonce, wrapped, BOUND.data(b"key" + dek_id, kek_id))
    assert AESGCM(dek).decrypt(sealed[80:92], sealed[92:], BOUND.data(b"secret", dek_id)) == b"sk-canary-7f3a"


def test_a_bit_that_is_flipped_anywhere_closes_it() -> None:
    sealed = sealing.seal(KEK, BOUND, SECRET)
    for place in range(len(sealed) * 8):
        flipped = bytearray(sealed)
        flipped[place // 8] ^= 1 << place % 8
        with pytest.raises(Unsealable):
            sealing.unseal(RING, BOUND, bytes(flipped))


def test_any_part_of_it_alone_stays_closed() -> None:
    sealed = sealing.seal(KEK, BOUND, SECRET)
    for length in range(len(sealed)):
        with pytest.raises(Unsealable):
            sealing.unseal(RING, BOUND, sealed[:length])


@pytest.mark.parametrize(
    "bound",
    [
        Bound("credential", "cred_2", BOUND.origin),
        Bound("session", BOUND.id, BOUND.origin),
        Bound("credential", BOUND.id, "https://evil.example:443"),
        Bound("credential", BOUND.id + "h", BOUND.origin[1:]),
        Bound("", "", ""),
    ],
)
def test_pasted_elsewhere_it_does_not_open(bound: Bound) -> None:
    with pytest.raises(Unsealable):
        sealing.unseal(RING, bound, sealing.seal(KEK, BOUND, SECRET))


def test_the_inner_part_of_one_does_not_open_under_the_head_of_another() -> None:
    one, other = (sealing.seal(KEK, BOUND, Secret(text)) for text in ("one", "two"))
    with pytest.raises(Unsealable):
        sealing.unseal(RING, BOUND, one[:80] + other[80:])


def test_the_same_secret_is_never_sealed_alike() -> None:
    assert len({sealing.seal(KEK, BOUND, SECRET) for _ in range(1000)}) == 1000


def test_under_another_key_it_opens_with_that_one_only() -> None:
    moved = sealing.rewrap(RING, OTHER, BOUND, sealing.seal(KEK, BOUND, SECRET))
    assert sealing.unseal({OTHER.id: OTHER}, BOUND, moved) == SECRET
    with pytest.raises(Unsealable, match="not here"):
        sealing.unseal(RING, BOUND, moved)


def test_a_key_that_lies_about_its_id_does_not_open_it() -> None:
    liar = Kek(KEK.id, OTHER.key)
    with pytest.raises(Unsealable):
        sealing.unseal({KEK.id: liar}, BOUND, sealing.seal(KEK, BOUND, SECRET))


def test_neither_keys_nor_secrets_show() -> None:
    assert "0123456789abcdef" not in f"{KEK} {derive(Secret('0123456789abcdef' * 4))!r}"


def test_a_keyring_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    one, two = (Keyring.locate(Environment({}), tmp_path) for _ in range(2))
    assert one.current.id == two.current.id
    assert (tmp_path / keyring.FILE).stat().st_mode & 0o777 == 0o600


def test_a_keyring_that_others_may_read_is_refused(tmp_path: Path) -> None:
    Keyring.locate(Environment({}), tmp_path)
    (tmp_path / keyring.FILE).chmod(0o640)
    with pytest.raises(KeyringError, match="chmod 600"):
        Keyring.locate(Environment({}), tmp_path)


def test_the_environment_wins_and_may_refer_to_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("new" * 20 + "\n" + "old" * 20 + "\n")
    ring = Keyring.locate(Environment({keyring.VARIABLE: f"file:{tmp_path}/key"}), tmp_path)
    assert [ring.current.id, *list(ring)[1:]] == [derive(Secret(each * 20)).id for each in ("new", "old")]
    assert not (tmp_path / keyring.FILE).exists()


def test_a_key_that_can_be_guessed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyringError, match="32 characters"):
        Keyring.locate(Environment({keyring.VARIABLE: "short"}), tmp_path)


def test_a_new_key_is_found_without_a_restart_and_an_old_one_goes_when_nothing_needs_it(
    tmp_path: Path,
) -> None:
    ring = Keyring.locate(Environment({}), tmp_path)
    old = ring.current.id
    keyring.add_key(tmp_path)
    assert ring.current.id != old
    assert ring[old].id == old
    assert keyring.drop_keys(tmp_path, [old]) == 0
    assert keyring.drop_keys(tmp_path, []) == 1
