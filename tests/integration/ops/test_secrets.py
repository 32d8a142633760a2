"""``sbx secrets``: a key is replaced while others work, in bites, and whoever lacks a key is told which."""

import asyncio
import re
import subprocess
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography.fernet import Fernet

from connections.store import save_connection
from runtime.secret_keys import new_secret_key, split
from runtime.secrets import SecretBox
from sandbox.fake_salesbinder import FakeSalesBinderServer
from sandbox.fake_xero.server import FakeXeroServer
from sbx.cli.secrets import PLACES
from sources.store import feeds, hooks, store
from tests.integration.ops.sbx import SBX, Sbx, environ

ROOT = Path(__file__).resolve().parents[3]

ENCRYPTED = """
    SELECT table_schema, table_name, column_name FROM information_schema.columns
    WHERE column_name LIKE '%\\_encrypted' AND table_schema NOT IN ('information_schema', 'pg_catalog')
"""

UNDER_WAY = """
    WITH ann AS (INSERT INTO web.users (name, role, created_by) VALUES ('ann', 'operator', 'test')
                 RETURNING name),
         hers AS (INSERT INTO web.sessions (key_hash, user_name, expires_at)
                  SELECT 'hers', name, now() + interval '1 hour' FROM ann RETURNING key_hash)
    INSERT INTO web.agreements (state_hash, session_hash, account, tenant_id, client_id, verifier_encrypted,
                                redirect_uri, expires_at)
    SELECT 'state', key_hash, 'shop-0', '', 'c', %s, '', now() + interval '1 hour' FROM hers
"""
"""A connection for which somebody is at Xero."""


def run(database_url: str, act: Callable[[psycopg.AsyncConnection[Any]], Awaitable[None]]) -> None:
    async def go() -> None:
        async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
            await act(connection)

    asyncio.run(go())


def fill(database_url: str, box: SecretBox, accounts: int = 1) -> None:
    """Have a secret of every kind for each account, and a connection under way."""

    async def act(connection: psycopg.AsyncConnection[Any]) -> None:
        for number in range(accounts):
            name = f"shop-{number}"
            await save_connection(
                connection,
                account=name,
                tenant_id=f"t-{number}",
                tenant_name="Demo",
                client_id="c",
                client_secret_encrypted=box.encrypt(f"client secret {name}"),
                refresh_token_encrypted=box.encrypt("refresh"),
                actor="test",
            )
            token = box.encrypt("token"), box.encrypt("refresh")
            await connection.execute(
                "UPDATE connections.tokens SET token_encrypted = %s, refresh_token_encrypted = %s", token
            )
            await store.connect(connection, name, box.encrypt("api key"))
            await feeds.connect(connection, name, box.encrypt("feed key"))
            await hooks.make(connection, name, box)
        await connection.execute(UNDER_WAY, [box.encrypt("verifier")])

    run(database_url, act)


def stored(database_url: str) -> list[bytes]:
    """Every secret there is, in whatever table."""
    with psycopg.connect(database_url) as connection:
        found = []
        for schema, table, column in connection.execute(ENCRYPTED).fetchall():
            query = f'SELECT "{column}" FROM "{schema}"."{table}" WHERE "{column}" IS NOT NULL'  # noqa: S608
            found += [bytes(row[0]) for row in connection.execute(query.encode())]
    return found


def sbx(database_url: str, data_dir: Path, key: str, old: str = "") -> Sbx:
    return Sbx(environ(data_dir, SBX_DATABASE_URL=database_url, SBX_SECRET_KEY=key, SBX_SECRET_KEY_OLD=old))


def test_no_column_with_secrets_is_forgotten(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        found = set(connection.execute(ENCRYPTED).fetchall())
    assert found == {(place.schema, place.table, column) for place in PLACES for column in place.columns}


def test_all_secrets_go_under_the_new_key(database_url: str, tmp_path: Path) -> None:
    old, new = Fernet.generate_key().decode(), new_secret_key()
    fill(database_url, SecretBox(old), accounts=120)  # more than a bite
    command = sbx(database_url, tmp_path, new, old)
    before = stored(database_url)

    planned = command("secrets", "rotate", "--json")
    assert (planned.code, planned.json["old"], planned.json["rotated"]) == (0, len(before), 0)
    assert command("secrets", "rotate", "--check").code == 1
    assert stored(database_url) == before

    done = command("secrets", "rotate", "--yes", "--json")
    assert (done.code, done.json["rotated"], done.json["old"]) == (0, len(before), 0)
    after = stored(database_url)
    assert sorted(map(SecretBox(new).decrypt, after)) == sorted(map(SecretBox(old).decrypt, before))
    assert {split(one)[0] for one in after} == {new.split(".")[1]}
    alone = sbx(database_url, tmp_path, new)
    assert alone("secrets", "rotate", "--check").code == 0
    [act] = [alone("acts", "--act", "rotate_secrets", "--json").json]
    assert act["result"] == {"rotated": len(before)}


def test_one_that_was_broken_off_is_gone_on_with_beside_a_worker_that_holds_a_row(
    database_url: str, tmp_path: Path
) -> None:
    old, new = new_secret_key(), new_secret_key()
    fill(database_url, SecretBox(old), accounts=3)
    command = sbx(database_url, tmp_path, new, old)
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "UPDATE connections.accounts SET client_secret_encrypted = %s WHERE account = 'shop-1'",
            [SecretBox(new).encrypt("client secret shop-1")],
        )
    count = len(stored(database_url))
    with closing(psycopg.connect(database_url)) as worker:
        worker.execute("SELECT FROM connections.tokens WHERE account = 'shop-2' FOR UPDATE")
        running = command.start("secrets", "rotate", "--yes", "--json")
        with pytest.raises(subprocess.TimeoutExpired):
            running.wait(8)
        box = SecretBox(new)
        assert sum(not box.is_current(one) for one in stored(database_url)) == 2, (
            "all but those of the held row"
        )
        kept = SecretBox(old).encrypt("newer token")

        worker.execute("UPDATE connections.tokens SET token_encrypted = %s WHERE account = 'shop-2'", [kept])
        worker.commit()
    out, _ = running.communicate(timeout=120)
    assert f'"rotated": {count - 1}' in out
    texts = [box.decrypt(one) for one in stored(database_url)]
    assert "newer token" in texts


def test_what_neither_key_reads_is_named_and_stays(database_url: str, tmp_path: Path) -> None:
    lost, old, new = new_secret_key(), new_secret_key(), new_secret_key()
    fill(database_url, SecretBox(old))

    async def act(connection: psycopg.AsyncConnection[Any]) -> None:
        await store.connect(connection, "shop-0", SecretBox(lost).encrypt("api key"))

    run(database_url, act)
    command = sbx(database_url, tmp_path, new, old)
    done = command("secrets", "rotate", "--yes")
    assert done.code == 1
    assert f"SalesBinder API keys of shop-0: need the key {lost.split('.')[1]}" in done.err
    assert command("secrets", "rotate", "--json").json["needs"] == [
        {"what": "SalesBinder API keys", "account": "shop-0", "needs": lost.split(".")[1]}
    ]
    assert lost not in done.out + done.err


def steps(chapter: str) -> str:
    """The commands of a chapter of the page, as a script."""
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    [text] = re.findall(rf"^## {chapter}$(.*?)(?=^## |\Z)", page, re.M | re.S)
    return "\n".join(re.findall(r"^ *\$ (.+)$", text, re.M))


def in_a_shell(script: str, environ: dict[str, str], where: Path) -> str:
    path = f"{SBX.parent}:{environ['PATH']}"
    done = subprocess.run(
        ["sh", "-ec", script],
        env={**environ, "PATH": path},
        cwd=where,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done
    return done.stdout


def test_the_steps_of_the_page_change_the_key(database_url: str, tmp_path: Path) -> None:
    """As they stand there: with variables, then with the file of a data directory."""
    with_variables, _, with_a_file = steps("Changing the key").partition("mv ")
    home = tmp_path / "home"
    fill(database_url, SecretBox.open(home / ".local/share/sbx", None))
    before = stored(database_url)
    settings = environ(tmp_path, SBX_DATABASE_URL=database_url, HOME=str(home))
    del settings["SBX_DATA_DIR"]
    in_a_shell(f"mv {with_a_file}", settings, tmp_path)
    between = stored(database_url)
    file = SecretBox.open(home / ".local/share/sbx", None)
    assert not file.has_old
    assert all(map(file.is_current, between))

    key = (home / ".local/share/sbx/secret.key").read_text().strip()
    script = f'{with_variables}\necho "new $SBX_SECRET_KEY"'
    said = in_a_shell(script, settings | {"SBX_SECRET_KEY": key}, tmp_path)
    box = SecretBox(said.rpartition("new ")[2].strip())
    after = stored(database_url)
    assert all(map(box.is_current, after))
    assert len({*before, *between, *after}) == 3 * len(before)


def test_the_steps_of_the_page_replace_what_a_leaked_key_showed(database_url: str, tmp_path: Path) -> None:
    key = new_secret_key()
    with FakeXeroServer(subprocess=True) as xero, FakeSalesBinderServer(seed=3) as salesbinder:
        shop = salesbinder.world.add_shop("acme")
        (tmp_path / "new-api-key").write_text(shop.key)
        settings = environ(
            tmp_path,
            SBX_DATABASE_URL=database_url,
            SBX_SECRET_KEY=key,
            SBX_XERO_API_URL=xero.api_url,
            SBX_XERO_IDENTITY_URL=xero.identity_url,
            SBX_XERO_CLIENT_SECRET=xero.client_secret,
            SBX_SALESBINDER_API_URL=salesbinder.api_url,
            CLIENT_ID=xero.client_id,
        )
        script = steps("When the key has leaked")
        assert "acme" in script
        in_a_shell(f"{steps('Changing the key').partition('mv ')[0]}\n{script}", settings, tmp_path)
        first = stored(database_url)
        in_a_shell(script, settings, tmp_path)
    assert len(first) == 3
    assert not {*first} & {*stored(database_url)}
