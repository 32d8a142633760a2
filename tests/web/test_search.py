"""Search, orders, periods and saved views on the page and in the API."""

import re
from decimal import Decimal

from tests.integration.log_projection.made import entry
from tests.web.office import Client, Office, form_token


def fill(office: Office) -> None:
    office.user("ann")
    office.user("vic", "viewer", ["acme"])
    office.log(
        entry("m1", party_name="Müller & Söhne", amount=Decimal("19.95")),
        entry("m2", 1, "failed", party_name="Müller & Söhne", amount=Decimal("7.00"), record_number="5024"),
        entry("m3", party_name="Muller GmbH", account="beta", amount=Decimal("500")),
        entry("o1", party_name="Smith", amount=Decimal("15"), reference="Cheque 1181"),
    )


def shown(html: str) -> list[str]:
    return re.findall(r'<tr role="row" id="e-(\w+)"', html)


def tabs(html: str) -> list[str]:
    """All, failed, running, queued, completed."""
    return re.findall(r'<span class="count"[^>]*>([\d,+]+)</span>', html)


def signed_in(office: Office, name: str) -> Client:
    return office.client(name)


def test_tabs_and_hits_count_within_the_search(office: Office) -> None:
    fill(office)
    ann, vic = signed_in(office, "ann"), signed_in(office, "vic")
    page = ann.get("/", text="MULLER").text
    assert sorted(shown(page)) == ["m1", "m2", "m3"]
    assert tabs(page) == ["3", "1", "0", "2", "0"]
    assert "<strong>3</strong> entries match" in page
    failed = ann.get("/", text="müller", state="failed").text
    assert (shown(failed), tabs(failed)) == (["m2"], ["3", "1", "0", "2", "0"])
    assert "<strong>1</strong> entry matches" in failed
    assert sorted(shown(vic.get("/", text="muller").text)) == ["m1", "m2"]
    assert tabs(vic.get("/", text="muller").text)[0] == "2"
    assert tabs(vic.get("/", text="500").text)[0] == "0"


def test_a_reference_is_found_and_shown(office: Office) -> None:
    fill(office)
    page = signed_in(office, "ann").get("/", text="cheque 1181").text
    assert shown(page) == ["o1"]
    assert "Cheque 1181</span>" in page


def test_orders_pages_exports_and_counts_obey_the_search(office: Office) -> None:
    fill(office)
    ann = signed_in(office, "ann")
    assert shown(ann.get("/", sort="-amount").text) == ["m3", "m1", "o1", "m2"]
    assert shown(ann.get("/", sort="amount", text="mull").text) == ["m2", "m1", "m3"]
    first = ann.get("/api/v1/entries", sort="-amount", limit="3").json
    assert [row["entry_id"] for row in first["entries"]] == ["m3", "m1", "o1"]
    second = ann.get("/api/v1/entries", sort="-amount", limit="3", cursor=first["next"]).json
    assert [row["entry_id"] for row in second["entries"]] == ["m2"]
    again = ann.get("/api/v1/entries", sort="-amount", limit="3", before=second["previous"]).json
    assert again["entries"] == first["entries"]
    assert ann.get("/api/v1/entries", cursor=first["next"]).status == 400
    lines = ann.get("/api/v1/entries.csv", sort="amount", text="10..20").text.splitlines()
    assert [line.split(",")[0] for line in lines] == ["entry_id", "o1", "m1"]
    counted = ann.get("/api/v1/entries/count", text="muller", state="failed").json
    assert counted["all"] == {"entries": 3, "at_least": False}
    assert counted["failed"] == {"entries": 1, "at_least": False}


def test_what_cannot_be_is_said_in_place(office: Office) -> None:
    fill(office)
    ann = signed_in(office, "ann")
    for given in ({"period": "lately"}, {"sort": "name"}, {"text": "x" * 256}, {"view": "none"}):
        for path in ("/", "/api/v1/entries"):
            assert ann.get(path, **given).status in (400, 404), (path, given)
    for text in ("---", "'\"!&|():*<->\\", "a:* | b", "%", ";--", "..", ">", "‮", "😀" * 100):
        for path in ("/", "/api/v1/entries", "/api/v1/entries/count", "/api/v1/entries.jsonl"):
            assert ann.get(path, text=text).status == 200, (path, text)


def test_a_view_is_kept_by_name_and_is_its_user_s_own(office: Office) -> None:
    fill(office)
    ann, vic = signed_in(office, "ann"), signed_in(office, "vic")
    page = ann.get("/", text="müller", sort="amount").text
    fields = {"form_token": form_token(page), "text": "müller", "sort": "amount"}
    assert ann.form("/views", {**fields, "name": "Müllers, kleine zuerst"}).status == 303
    kept = ann.get("/", view="Müllers, kleine zuerst").text
    assert shown(kept) == ["m2", "m1", "m3"]
    assert 'aria-current="page">Müllers, kleine zuerst' in kept
    narrower = ann.get("/", view="Müllers, kleine zuerst", state="failed").text
    assert shown(narrower) == ["m2"]
    assert vic.get("/", view="Müllers, kleine zuerst").status == 404
    assert "Müllers, kleine" not in vic.get("/").text
    assert ann.form("/views", {**fields, "name": ""}).status == 400
    assert ann.form("/views", {**fields, "name": "x", "period": "lately"}).status == 400
    assert ann.form("/views", {"name": "x", "text": "y"}).status == 403
    assert ann.form("/views/delete", {**fields, "name": "Müllers, kleine zuerst"}).status == 303
    assert ann.get("/", view="Müllers, kleine zuerst").status == 404
