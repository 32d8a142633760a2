"""An answer that shows our credentials, as some proxy's error page does: nobody finds them anywhere."""

import asyncio
import base64

import msgspec
import psycopg
import pytest
from psycopg import sql

from contracts.results import AccountResult, EntryResult, encode_result
from log_projection.projection import apply
from runtime.secrets import SecretBox
from tests.integration.sinks.shops import PATIENCE, Maker, Shop, delivering

PLANTED = {
    "Message": "Not taken. You sent {authorization} and client_secret=planted-secret-1",
    "Request": {"Authorization": "{authorization}", "access_token": "planted-token-2"},
    "Basic": "Basic " + base64.b64encode(b"planted-id:planted-secret-3").decode(),
}
BASIC = base64.b64encode(b"planted-id:planted-secret-3").decode()
_TABLES = """
    SELECT table_schema, table_name FROM information_schema.tables
    WHERE table_schema IN ('ledger', 'connections', 'integrations_log') AND table_type = 'BASE TABLE'
"""


async def everything_stored(shop: Shop) -> str:
    """All rows of all tables as text, bytes decoded."""
    found = []
    for table in await shop.rows(_TABLES):
        name = sql.Identifier(table["table_schema"], table["table_name"]).as_string()
        for row in await shop.rows(f"SELECT to_jsonb(t) AS row FROM {name} AS t"):  # noqa: S608 - quoted
            found += [_readable(str(value)) for value in row["row"].values()]
    return "\n".join(found)


@pytest.mark.parametrize("status", [200, 400, 401, 403, 500])
async def test_credentials_in_an_answer_are_masked(
    shop: Shop, maker: Maker, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    planted = msgspec.json.encode(PLANTED).decode()
    shop.xero.admin.fault("answer", path="Contacts", status=status, value=planted, times=None)
    async with delivering(shop):
        await shop.send(maker.created(maker.document(maker.customer(), 1)))
        await _told(shop, status)
    async with await psycopg.AsyncConnection.connect(
        str(shop.environment.database_url), autocommit=True
    ) as connection:
        await apply(connection, shop.published)

    stored = await everything_stored(shop)
    told = b"\n".join(encode_result(result) for result in shop.published).decode()
    printed = capsys.readouterr()
    assert "***" in stored
    assert "Not taken" in stored, "the rest of the answer is kept"
    for secret in (await _token(shop), shop.xero.client_secret, "planted-secret-1", "planted-token-2", BASIC):
        for where in (stored, told, *printed):
            assert secret not in where


def _readable(text: str) -> str:
    """Bytes as PostgreSQL writes them in JSON, decoded."""
    return bytes.fromhex(text[2:]).decode(errors="replace") if text.startswith("\\x") else text


async def _told(shop: Shop, status: int) -> None:
    """Until what came of the answer has been told: an attempt, and that a forbidden account is lost."""

    def told() -> bool:
        entries = [r for r in shop.published if isinstance(r, EntryResult)]
        held = any(isinstance(r, AccountResult) and r.held for r in shop.published)
        return any(a.status == status for r in entries for a in r.made) and (status != 403 or held)

    async with asyncio.timeout(PATIENCE):
        while not told():  # noqa: ASYNC110 - the shop has no event for it
            await asyncio.sleep(0.02)


async def _token(shop: Shop) -> str:
    [row] = await shop.rows("SELECT token_encrypted FROM connections.tokens")
    return SecretBox.open(shop.environment.data_dir, None).decrypt(bytes(row["token_encrypted"]))
