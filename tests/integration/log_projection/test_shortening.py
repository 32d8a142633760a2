"""Requests and responses as the view shows them: to the letter, however they are stored."""

import asyncio

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.rows import dict_row

from log_projection import archiving, queries
from log_projection.projection import apply
from tests.integration.log_projection.made import Connection, attempt, entry

_REQUEST = (
    '{"Name":"Bolt & Co","Phones":[{"PhoneType":"DEFAULT","PhoneNumber":"604-555-0101","PhoneAreaCode":"",'
    '"PhoneCountryCode":""}],"Addresses":[{"AddressType":"POBOX","AddressLine1":"1 Main St","AddressLine2":'
    '"","AddressLine3":"","AddressLine4":"","City":"Oslo","Region":"","PostalCode":"0150","Country":"Norway"}]}'
)
_PIECES = st.sampled_from(
    [
        *(
            '"},"Invoice":{"Type":"ACCREC","InvoiceID":"',
            '"HasErrors":false,"IsDiscounted":false,',
            '+0000)/","\'',
        ),
        *("\x01", "\x1f", "\t\r\n", "\x80", "\x85", "\x9f", "\xa0", "€", "𝄞", "\\", "%s", ",", '"', "{}"),
    ]
)
_TEXTS = st.lists(_PIECES | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))).map(
    "".join
)


async def stored(log: Connection) -> list[dict[str, object]]:
    async with log.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            "SELECT request, answer, fragments FROM integrations_log.attempt ORDER BY attempt_id"
        )
        return await cursor.fetchall()


async def test_attempts_are_stored_shortened_and_shown_whole(log: Connection) -> None:
    await apply(log, [entry(version=1, made=(attempt("t1", request=_REQUEST, answer="<html>"),))])

    [row] = await stored(log)
    assert (len(str(row["request"])) < len(_REQUEST) / 2, row["answer"], row["fragments"]) == (
        True,
        "<html>",
        1,
    )
    [shown] = await queries.attempts(log, ["e1"])
    assert (shown["request"], shown["answer"]) == (_REQUEST, "<html>")
    [archived] = await archiving.attempts(log, ["e1"])
    assert archived["request"] == _REQUEST


async def test_a_response_with_a_mark_in_it_stays_as_it_is(log: Connection) -> None:
    await apply(log, [entry(version=1, made=(attempt("t1", request=_REQUEST, answer="a\x02b"),))])

    assert await stored(log) == [{"request": _REQUEST, "answer": "a\x02b", "fragments": None}]
    assert (await queries.attempts(log, ["e1"]))[0]["answer"] == "a\x02b"


async def test_what_an_earlier_version_wrote_is_shown_as_it_is(log: Connection) -> None:
    await apply(log, [entry(version=1, made=(attempt("t1", request="{}", answer="?"),))])
    await log.execute("UPDATE integrations_log.attempt SET answer = chr(1), fragments = NULL")

    assert (await queries.attempts(log, ["e1"]))[0]["answer"] == "\x01"


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(_TEXTS, _TEXTS), min_size=1, max_size=20))
def test_any_text_is_shown_to_the_letter(database_url: str, texts: list[tuple[str, str]]) -> None:
    async def shown() -> list[tuple[str, str]]:
        async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as log:
            await log.execute("TRUNCATE integrations_log.attempt")
            made = [attempt(f"t{n}", n, request=one, answer=two) for n, (one, two) in enumerate(texts)]
            await apply(log, [entry(version=1, made=tuple(made))])
            rows = await queries.attempts(log, ["e1"])
            return [(row["request"], row["answer"]) for row in rows]

    assert asyncio.run(shown()) == texts
