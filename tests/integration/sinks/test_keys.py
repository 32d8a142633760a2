"""Workers and stored credentials under keys that they do not have."""

import asyncio
from dataclasses import replace
from pathlib import Path

import psycopg

from contracts.results import AccountResult
from runtime.secret_keys import new_secret_key
from runtime.secrets import SecretBox
from sandbox.fake_xero.server import FakeXeroServer
from tests.integration.sinks.shops import PATIENCE, Maker, Shop, connected_shop, delivering


async def put_under(shop: Shop, box: SecretBox) -> None:
    async with await psycopg.AsyncConnection.connect(str(shop.environment.database_url)) as connection:
        await connection.execute(
            "UPDATE connections.accounts SET client_secret_encrypted = %s",
            [box.encrypt(shop.xero.client_secret)],
        )


def holds(shop: Shop) -> list[AccountResult]:
    return [result for result in shop.published if isinstance(result, AccountResult)]


async def test_a_worker_without_the_key_waits_until_it_has_it(
    database_url: str, xero: FakeXeroServer, tmp_path: Path
) -> None:
    """``secret_key_missing``: nothing is lost, nobody has to connect again, and it ends by itself."""
    old, new = new_secret_key(), new_secret_key()
    shop = await connected_shop(database_url, xero, tmp_path)
    await put_under(shop, SecretBox(old))
    shop = replace(shop, environment=replace(shop.environment, secret_key=new))
    make = Maker(shop.account)
    created = make.created(make.document(make.customer(), 1))
    async with delivering(shop):
        await shop.send(created)
        async with asyncio.timeout(PATIENCE):
            while "secret_key_missing" not in [result.held for result in holds(shop)]:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        [held] = [result for result in holds(shop) if result.held == "secret_key_missing"]
        assert f"needs the key {old.split('.')[1]}" in held.reason
        assert "SBX_SECRET_KEY_OLD" in held.remedy
        assert [row["status"] for row in await shop.rows("SELECT status FROM connections.accounts")] == [
            "connected"
        ]
        await put_under(shop, SecretBox(new))  # as 'sbx secrets rotate' of another machine does
        await shop.idle()
    assert await shop.end(created) == "posted"
