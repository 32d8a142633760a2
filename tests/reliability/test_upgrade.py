"""An installation that an earlier version left behind works on with this one (see ``before/README.md``)."""

import json
import re
import urllib.parse
import urllib.request
from collections.abc import Iterator
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest
import zstandard

from runtime.secrets import KEY_FILE
from sandbox.fake_xero.server import FakeXeroServer
from tests.reliability.estate import Estate
from tests.reliability.record_upgrade import BEFORE, WAITING, log, publish
from tests.reliability.restores import idle, run_postgres, sbx
from tests.web.office import form_token

pytestmark = [pytest.mark.reliability]

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_REST = json.loads((BEFORE / "rest.json").read_text(encoding="utf-8"))
_EVENTS = [json.loads(line) for line in (BEFORE / "events.jsonl").read_text(encoding="utf-8").splitlines()]
_BOOKS = json.loads((BEFORE / "books.json").read_text(encoding="utf-8"))


class Upgraded(Estate):
    """Starts with the database and the key of the version before, on a broker that has nothing."""

    def __init__(self, directory: Path, xero: FakeXeroServer, ids: dict[str, str]) -> None:
        super().__init__(directory, xero)
        self.ids = ids
        self._dump = directory / "database.sql"
        text = zstandard.ZstdDecompressor().decompress((BEFORE / "database.sql.zst").read_bytes()).decode()
        self._dump.write_text(with_ids(text, ids), encoding="utf-8")
        key = self.data_dir / KEY_FILE
        key.touch(0o600)
        key.write_text(_REST["secret_key"])

    def _up(self) -> None:
        url = self.postgres.database_url
        run_postgres("psql", "--quiet", "--set=ON_ERROR_STOP=1", f"--file={self._dump}", f"--dbname={url}")
        super()._up()

    def connect(self) -> None:
        """It is."""


def with_ids(text: str, ids: dict[str, str]) -> str:
    return _ID.sub(lambda found: ids.get(found[0], found[0]), text)


def paired(before: Any, now: Any, ids: dict[str, str]) -> None:
    """Collect which id of the one is which of the other; they must be alike in all else."""
    if isinstance(before, dict):
        assert before.keys() == now.keys()
        for name, value in before.items():
            paired(value, now[name], ids)
    elif isinstance(before, list):
        assert len(before) == len(now)
        for one, other in zip(before, now, strict=True):
            paired(one, other, ids)
    elif isinstance(before, str) and _ID.fullmatch(before):
        assert ids.setdefault(before, now) == now
    else:
        assert before == now


@pytest.fixture
def upgraded(tmp_path: Path) -> Iterator[Upgraded]:
    """Xero's books are made anew out of the same events; the database then names what stands in these."""
    with FakeXeroServer(subprocess=True) as xero:
        xero.admin.limits(minute=100_000, day=100_000)
        (tmp_path / "first").mkdir()
        with Estate(tmp_path / "first", xero) as first:
            for event in _EVENTS[:-WAITING]:
                publish(first, event)
            books = xero.admin.state(xero.tenant_id)
        ids: dict[str, str] = {}
        paired(_BOOKS, books, ids)
        (tmp_path / "second").mkdir()
        with Upgraded(tmp_path / "second", xero, ids) as estate:
            yield estate


def writes(estate: Estate) -> list[str]:
    """Calls that change Xero's books."""
    calls = estate.xero.admin.calls()
    return [
        f"{call['method']} {call['path']}"
        for call in calls
        if call["method"] != "GET" and "connect" not in call["path"]
    ]


def test_an_installation_of_an_earlier_version_works_on(upgraded: Upgraded) -> None:
    estate = upgraded
    told = json.loads(with_ids((BEFORE / "log.json").read_text(encoding="utf-8"), estate.ids))
    assert [{name: row[name] for name in old} for row, old in zip(log(estate), told, strict=True)] == told
    shown = json.loads(sbx(estate, "settings", "show", "acme", "--json"))
    assert shown["settings"].items() >= _REST["settings"]["settings"].items()
    assert shown["written"] == _REST["settings"]["written"]
    assert_lets_in(estate)

    assert estate.rows("SELECT packs_from > now() FROM ledger.generation") == [(True,)]
    two_days_later = "UPDATE ledger.generation SET packs_from = now() - interval '1 day' RETURNING 1"
    estate.rows(two_days_later)

    sent = len(writes(estate))
    sbx(estate, "resume", "acme")
    wanted = {"completed": len(_EVENTS) - 1, "failed": 2}
    estate.wait("what waited is sent", lambda: estate.states() == wanted)
    assert len(writes(estate)) > sent

    sent, stood, ended = len(writes(estate)), estate.xero.admin.state(estate.xero.tenant_id), log(estate)
    estate.publish(_EVENTS)  # the broker is a new one: everything once more
    idle(estate)
    assert len(writes(estate)) == sent
    assert (estate.xero.admin.state(estate.xero.tenant_id), log(estate)) == (stood, ended)

    rates = [{"tax_type": "TAX175", "rate": "17.5"}]
    estate.xero.admin.seed(estate.xero.tenant_id, tax_rates=rates)
    sbx(estate, "settings", "set", "acme", "sales_tax.17.5=TAX175")
    sbx(estate, "retry", "--account", "acme", "--reason", "tax_rate_unmapped", "--yes")
    wanted = {"completed": len(_EVENTS), "failed": 1}
    estate.wait("the retry has gone through", lambda: estate.states() == wanted)
    sbx(estate, "drift", "acme")


def assert_lets_in(estate: Estate) -> None:
    """The password opens the page, the token the API."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    token = form_token(opener.open(f"{estate.page}/sign-in").read().decode())
    fields = {"form_token": token, "name": "ann", "password": _REST["password"]}
    opener.open(f"{estate.page}/sign-in", urllib.parse.urlencode(fields).encode())
    assert "ann" in opener.open(estate.page).read().decode()

    def asked(key: str) -> Any:
        request = urllib.request.Request(f"{estate.page}/api/v1/entries")
        request.add_header("Authorization", f"Bearer {key}")
        return json.load(urllib.request.urlopen(request))

    assert len(asked(_REST["token"])["entries"]) == len(_EVENTS) + 1
    with pytest.raises(HTTPError):
        asked(f"{_REST['token']}x")
