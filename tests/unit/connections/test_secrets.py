"""Secrets: kept under one key, never readable without it, masked in texts."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from runtime.environment import Environment, InvalidEnvironment
from runtime.secret_keys import new_secret_key
from runtime.secrets import SecretBox, SecretKeyError, mask


def test_what_goes_in_comes_out(tmp_path: Path) -> None:
    box = SecretBox.open(tmp_path / "new" / "data", None)
    encrypted = box.encrypt("pass wörd")
    assert b"pass" not in encrypted
    assert SecretBox.open(tmp_path / "new" / "data", None).decrypt(encrypted) == "pass wörd"


def test_the_key_file_is_private_and_stays(tmp_path: Path) -> None:
    SecretBox.open(tmp_path, None)
    file = tmp_path / "secret.key"
    assert file.stat().st_mode & 0o777 == 0o600
    before = file.read_bytes()
    SecretBox.open(tmp_path, None)
    assert file.read_bytes() == before
    assert os.listdir(tmp_path) == ["secret.key"]


def test_processes_that_start_together_share_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        boxes = list(pool.map(lambda _: SecretBox.open(tmp_path, None), range(16)))
    encrypted = boxes[0].encrypt("x")
    assert [box.decrypt(encrypted) for box in boxes] == ["x"] * 16
    assert os.listdir(tmp_path) == ["secret.key"]


def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    SecretBox.open(tmp_path, None)
    (tmp_path / "secret.key").chmod(0o640)
    with pytest.raises(SecretKeyError, match="chmod 600"):
        SecretBox.open(tmp_path, None)


def test_the_environment_s_key_comes_first(tmp_path: Path) -> None:
    key = Fernet.generate_key().decode()
    encrypted = SecretBox.open(tmp_path, key).encrypt("x")
    assert SecretBox(key).decrypt(encrypted) == "x"
    assert os.listdir(tmp_path) == []


def test_another_key_is_a_clear_error(tmp_path: Path) -> None:
    encrypted = SecretBox.open(tmp_path, None).encrypt("x")
    with pytest.raises(SecretKeyError, match="SBX_SECRET_KEY"):
        SecretBox(Fernet.generate_key().decode()).decrypt(encrypted)


@pytest.mark.parametrize("key", ["", "hunter2", "ä" * 44, "A" * 43])
def test_what_is_no_key_is_refused_without_showing_it(tmp_path: Path, key: str) -> None:
    with pytest.raises(SecretKeyError, match="SBX_SECRET_KEY is not a key") as raised:
        SecretBox.open(tmp_path, key)
    assert not key or key not in str(raised.value)


def test_with_an_old_key_both_are_read_and_only_the_new_one_is_written(tmp_path: Path) -> None:
    plain, old, new = Fernet.generate_key().decode(), new_secret_key(), new_secret_key()
    both = SecretBox.open(tmp_path, new, old)
    before = SecretBox(old).encrypt("x")
    after = both.encrypt("x")
    assert [both.decrypt(one) for one in (before, after)] == ["x", "x"]
    assert SecretBox.open(tmp_path, new, plain).decrypt(SecretBox(plain).encrypt("x")) == "x"
    assert SecretBox(new).decrypt(after) == "x"
    assert (both.is_current(before), both.is_current(after)) == (False, True)


def test_a_value_names_the_key_that_it_needs_and_so_does_the_error() -> None:
    old, new = new_secret_key(), new_secret_key()
    ids = [key.split(".")[1] for key in (old, new)]
    encrypted = SecretBox(old).encrypt("x")
    assert encrypted.startswith(ids[0].encode() + b".")
    with pytest.raises(
        SecretKeyError, match=f"needs the key {ids[0]}, but SBX_SECRET_KEY is the key {ids[1]};"
    ) as raised:
        SecretBox(new).decrypt(encrypted)
    assert "SBX_SECRET_KEY_OLD" in str(raised.value)
    with pytest.raises(SecretKeyError, match="needs another key, one without an id"):
        SecretBox(new).decrypt(SecretBox(Fernet.generate_key().decode()).encrypt("x"))


def test_what_a_plain_key_encrypts_is_what_earlier_versions_read() -> None:
    """Workers of the version before run beside new ones during an upgrade."""
    key = Fernet.generate_key()
    assert Fernet(key).decrypt(SecretBox(key.decode()).encrypt("x")) == b"x"
    with pytest.raises(ValueError, match="Fernet key"):
        Fernet(new_secret_key())


def test_a_plain_key_that_is_given_an_id_has_its_values_encrypted_again() -> None:
    named = new_secret_key()
    plain = named.rpartition(".")[2]
    encrypted = SecretBox(plain).encrypt("x")
    assert SecretBox(named).decrypt(encrypted) == "x"
    assert not SecretBox(named).is_current(encrypted)


def test_a_mistyped_key_is_told_from_another_one() -> None:
    key = new_secret_key()
    wrong = key[:-5] + ("A" if key[-5] != "A" else "B") + key[-4:]
    with pytest.raises(SecretKeyError, match="SBX_SECRET_KEY_OLD is not a key any more") as raised:
        SecretBox.open(Path("none"), key, wrong)
    assert wrong not in str(raised.value)


def test_the_old_key_of_a_data_directory_stands_beside_the_new_one(tmp_path: Path) -> None:
    encrypted = SecretBox.open(tmp_path, None).encrypt("x")
    (tmp_path / "secret.key").rename(tmp_path / "secret.key.old")
    box = SecretBox.open(tmp_path, None)
    assert box.decrypt(encrypted) == "x"
    assert not box.is_current(encrypted)
    (tmp_path / "secret.key.old").chmod(0o644)
    with pytest.raises(SecretKeyError, match="chmod 600"):
        SecretBox.open(tmp_path, None)


def test_a_key_of_the_data_directory_is_followed_by_one_of_the_environment(tmp_path: Path) -> None:
    encrypted = SecretBox.open(tmp_path, None).encrypt("x")
    (tmp_path / "secret.key").rename(tmp_path / "secret.key.old")
    box = SecretBox.open(tmp_path, new_secret_key())
    assert (box.decrypt(encrypted), box.is_current(encrypted)) == ("x", False)
    assert os.listdir(tmp_path) == ["secret.key.old"]


def test_keys_come_from_files_too(tmp_path: Path) -> None:
    file = tmp_path / "old"
    file.write_text("one\n")
    read = Environment.read({"SBX_SECRET_KEY": "two", "SBX_SECRET_KEY_OLD_FILE": str(file)})
    assert (read.secret_key, read.secret_key_old) == ("two", "one")
    for given in (
        {"SBX_SECRET_KEY_FILE": str(tmp_path / "gone")},
        {"SBX_SECRET_KEY_FILE": str(file), "SBX_SECRET_KEY": "two"},
    ):
        with pytest.raises(InvalidEnvironment, match="SBX_SECRET_KEY_FILE"):
            Environment.read(given)
    file.write_text("\n")
    with pytest.raises(InvalidEnvironment, match="blank"):
        Environment.read({"SBX_SECRET_KEY_FILE": str(file)})


def test_mask() -> None:
    assert mask("a=s3c/ret&b=s3c%2Fret s3c/ret2", ["s3c/ret", "", "s3c/ret2"]) == "a=***&b=*** ***"
    assert mask("nothing here", []) == "nothing here"


def test_a_damaged_key_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "secret.key"
    file.write_bytes(b"\xff\xfe half")
    file.chmod(0o600)
    with pytest.raises(SecretKeyError, match=r"secret\.key is not a key"):
        SecretBox.open(tmp_path, None)


TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"
BASIC = "aWQtMTIzOmh1bnRlcjItc2VjcmV0"  # id-123:hunter2-secret


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"Authorization: Bearer {TOKEN}", "Authorization: ***"),
        (f"authorization: Basic {BASIC}\r\nAccept: */*", "authorization: ***\r\nAccept: */*"),
        (f"{{'Authorization': 'Bearer {TOKEN}'}}", "{'Authorization': '***'}"),
        (f"sent Basic {BASIC}.", "sent Basic ***."),
        ("got bearer AbCdEfGhIjKlMnOpQrStUvWx== there", "got bearer *** there"),
        (f"a token {TOKEN}, expired", "a token ***, expired"),
        (f'{{"access_token": "{TOKEN}", "expires_in": 1800}}', '{"access_token": "***", "expires_in": 1800}'),
        ('"{\\"refresh_token\\":\\"opaque-1\\"}"', '"{\\"refresh_token\\":\\"***\\"}"'),
        ("grant_type=x&client_secret=a%2Fb&scope=y", "grant_type=x&client_secret=***&scope=y"),
        ("password=hunter2;user=me", "password=***;user=me"),
        (f"POST /hooks/{'aB-_' * 11}?x=1 HTTP/1.1", "POST /hooks/***?x=1 HTTP/1.1"),
    ],
)
def test_whatever_has_the_form_of_a_credential_is_masked(text: str, shown: str) -> None:
    assert mask(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "Basic installation of a bearer beam",
        "Basic Electronics, Basic1234",
        "The token machine; secret garden; TokenExpired: token expired",
        "https://shop.example/hooks/coat and /hooks/",
        '{"Description": "Password manager: yearly", "Reference": "Bearer bonds 2026"}',
    ],
)
def test_words_that_only_look_so_stay(text: str) -> None:
    assert mask(text) == text


@pytest.mark.parametrize(
    "begin",
    ["eyJ-", "eyJ", "eyJhbGciOi-", "eyJhbGciOi.", "eyJa_", "bearer ", "basic/", "password", "password: ",
     'token\\"', "id_token:bearer ", "authorization\t\t", "client_secret=\\", "/hooks/", "/hooks/a"],
)  # fmt: skip
def test_no_text_takes_longer_than_its_length(begin: str) -> None:
    """What looks like the beginning of a credential over and over, as long as a publisher's event may be."""
    began = time.process_time()
    mask((begin * 250_000)[:250_000])
    assert time.process_time() - began < 5


def test_a_token_is_found_wherever_it_begins() -> None:
    for before in ("", "-", "a-", "host-name.", ".", " ", "\u00e9"):
        assert mask(f"{before}{TOKEN}") == f"{before}***"
    for before in ("_", "a"):
        assert mask(f"{before}{TOKEN}").startswith(f"{before}eyJ")
