"""Issues: in words, with their documents; muted ones apart."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from tests.web.office import Client, Office, entry


@pytest.fixture
def client(office: Office) -> Client:
    office.user("ann")
    reason = {
        "reason_code": "tax_rate_unmapped",
        "cause": "sales_tax.15",
        "reason": "Which tax?",
        "remedy": "Set it.",
    }
    office.log(
        *(
            entry(f"t{n}", 1, "failed", record_id=f"r{n}", record_number=f"100{n}", **reason)
            for n in range(7)
        ),
        entry("n", 1, "failed", reason_code="number_taken", reason="It is taken.", account="beta"),
    )
    return office.client("ann")


def tomorrow() -> str:
    """A day that is no earlier than today, even if midnight passes meanwhile."""
    return (datetime.now(UTC) + timedelta(days=1)).date().isoformat()


def issue_id(office: Office, code: str) -> str:
    [row] = office.rows("SELECT issue_id FROM integrations_log.issues WHERE reason_code = %s", code)
    return str(row["issue_id"])


def send(client: Client, issue: str, act: str, **given: str) -> tuple[int, str]:
    answer = client.form(f"/issues/{issue}/{act}", {"form_token": client.mark(), **given})
    return answer.status, client.get("/issues").text if answer.status == 303 else answer.text


def test_an_issue_has_a_title_its_documents_and_the_place_to_mend_it(client: Client) -> None:
    page = client.get("/issues").text
    [first, second] = page.split("<section")[1:]

    assert "Tax rate not mapped: 15 % on sales" in first
    assert first.count('href="/entries/t') == 5
    assert "and 2 more" in first
    assert 'href="/accounts/acme/settings#pair-sales_tax.15"' in first
    assert "Number already used" in second and "/settings" not in second


def test_no_retry_is_offered_that_cannot_work(office: Office, client: Client) -> None:
    dead = {"triggered_by": "dead_letter", "reason_code": "event_field_missing", "reason": "It has no name."}
    office.log(entry("d", 1, "failed", account="gamma", **dead))
    panels = {account: client.get("/issues", account=account).text for account in ("acme", "gamma")}
    assert 'value="retry-all"' in panels["acme"] and 'value="skip-all"' in panels["acme"]
    assert "It has no name." in panels["gamma"] and 'name="do"' not in panels["gamma"]


def test_a_muted_issue_stands_apart_until_its_day_is_over(office: Office, client: Client) -> None:
    issue = issue_id(office, "tax_rate_unmapped")
    day = tomorrow()
    status, page = send(client, issue, "mute", until=day, reason="accountant asked")
    assert status == 303
    before, _, after = page.partition(">Muted</h2>")
    assert "Tax rate not mapped" not in before and "Tax rate not mapped" in after
    assert "Muted by ann" in after and "accountant asked" in after

    office.rows("UPDATE web.mutes SET until = now() RETURNING 1")
    assert ">Muted</h2>" not in client.get("/issues").text
    send(client, issue, "mute", until=day, reason="still")
    _, page = send(client, issue, "unmute")
    assert ">Muted</h2>" not in page
    acts = office.rows("SELECT actor, act, note FROM web.acts ORDER BY id")
    assert [row["act"] for row in acts] == ["mute", "mute", "unmute"]
    assert (acts[0]["actor"], acts[0]["note"]) == ("ann", "accountant asked")


@pytest.mark.parametrize(
    ("until", "reason", "said"),
    [
        ("soon", "r", "is not a day"),
        ("2020-01-01", "r", "from today on"),
        (400, "r", "a year ahead"),
        (7, " ", "Give a reason"),
    ],
)
def test_a_mute_needs_a_day_and_a_reason(
    office: Office, client: Client, until: str | int, reason: str, said: str
) -> None:
    """A number is of days from the one on which the test runs: that on which it was collected may be over."""
    if isinstance(until, int):
        until = (datetime.now(UTC) + timedelta(days=until)).date().isoformat()
    status, page = send(client, issue_id(office, "number_taken"), "mute", until=until, reason=reason)

    assert (status, said in page) == (400, True)
    [wrong] = re.findall(r'<input[^>]*aria-invalid="true"[^>]*>', page)
    assert "autofocus" in wrong
    assert not reason or f'value="{reason}"' in page
    assert office.rows("SELECT 1 FROM web.mutes") == []


def test_muting_is_for_operators_and_for_accounts_that_they_see(office: Office, client: Client) -> None:
    office.user("vic", "viewer")
    office.user("bea", "operator", ["beta"])
    issue, day = issue_id(office, "tax_rate_unmapped"), tomorrow()
    for name, status in (("vic", 403), ("bea", 404)):
        assert send(office.client(name), issue, "mute", until=day, reason="r")[0] == status
        assert send(office.client(name), issue, "unmute")[0] == status
    assert "Mute until" not in office.client("vic").get("/issues").text
    assert client.get("/issues", account="beta").text.count("<section") == 1


def test_many_issues_come_in_pages(office: Office, client: Client) -> None:
    office.log(*(entry(f"m{n}", 1, "failed", reason_code="number_taken", cause=f"c{n}") for n in range(30)))
    first, second = client.get("/issues").text, client.get("/issues", page=2).text

    assert (first.count("<section"), second.count("<section")) == (25, 7)
    assert "38 failed entries, 32 causes" in first and "38 failed entries, 32 causes" in second
    assert 'href="/issues?page=2"' in first and 'href="/issues?page=1"' in second
    titles = [re.findall(r'id="i-([0-9a-f]{12})"', page) for page in (first, second)]
    assert len({*titles[0], *titles[1]}) == 32
    assert client.get("/issues", page="x").status == 400

    program = office.api("ann")
    pages = [program.get("/api/v1/issues", limit=20, page=page).json for page in (1, 2, 3)]
    assert [(len(page["issues"]), page["next"]) for page in pages] == [(20, 2), (12, None), (0, None)]
    listed = [issue["issue_id"] for page in pages for issue in page["issues"]]
    assert sorted(listed) == sorted(titles[0] + titles[1])


def test_the_api_tells_of_mutes_and_makes_them(office: Office, client: Client) -> None:
    program = office.api("ann")
    issue, day = issue_id(office, "tax_rate_unmapped"), tomorrow()

    def told() -> dict[str, object]:
        found = program.get("/api/v1/issues").json["issues"]
        [one] = [one for one in found if one["issue_id"] == issue]
        return {name: one[name] for name in ("muted_until", "muted_by", "mute_reason")}

    nothing = dict.fromkeys(("muted_until", "muted_by", "mute_reason"))
    assert told() == nothing
    answer = program.post(f"/api/v1/issues/{issue}/mute", {"until": day, "reason": "accountant asked"})
    assert (answer.status, answer.json) == (200, {"issue_id": issue, "muted": True})
    end = (datetime.fromisoformat(day) + timedelta(days=1)).strftime("%Y-%m-%dT00:00:00Z")
    assert told() == {"muted_until": end, "muted_by": "ann", "mute_reason": "accountant asked"}
    assert program("POST", f"/api/v1/issues/{issue}/unmute").json == {"issue_id": issue, "muted": False}
    assert told() == nothing

    for body, field in (
        ({"until": "soon", "reason": "r"}, "until"),
        ({"until": day, "reason": " "}, "note"),
        ({"until": day}, "body"),
    ):
        refused = program.post(f"/api/v1/issues/{issue}/mute", body)
        assert (refused.status, refused.json["error"]["field"]) == (400, field)
    assert program.post("/api/v1/issues/none/mute", {"until": day, "reason": "r"}).status == 404
    office.user("vic", "viewer")
    for act in ("mute", "unmute"):
        given = {"until": day, "reason": "r"}
        assert office.api("vic").post(f"/api/v1/issues/{issue}/{act}", given).status == 403
