"""One's own sessions and tokens; roles; and forms that are sent after the session has ended."""

from sbx.actions import users
from sbx.web.auth import sessions
from tests.web.office import SET_UP, Office, form_token
from tests.web.undecided import undecided


def test_sessions_and_tokens_are_shown_and_ended(office: Office) -> None:
    office.user("ann", "viewer")
    office.user("bob")
    bob, other, client = office.client("bob"), office.client("ann"), office.client("ann")
    program = office.api("ann")
    page = client.get("/you").text
    assert page.count("Started ") == 2 and page.count("(this one)") == 1 and "never used" in page
    program.get("/api/v1/summary")
    assert "last used" in client.get("/you").text

    key = client.cookies[office.session_cookie]
    mine = office.do(lambda c: sessions.of_user(c, "ann", key))
    assert not any(one["id"] in bob.get("/you").text for one in mine)
    ids = [one["id"] for one in mine if not one["this_one"]]
    bob.form("/you/session", {"form_token": bob.mark(), "session": ids[0]})
    bob.form("/you/token", {"form_token": bob.mark(), "label": "test"})
    assert (other.get("/").status, program.get("/api/v1/summary").status) == (200, 200)
    mark = form_token(client.get("/you").text)
    assert client.form("/you/session", {"form_token": mark, "session": ids[0]}).status == 303
    assert client.form("/you/token", {"form_token": mark, "label": "test"}).status == 303
    assert (other.get("/").status, client.get("/").status, program.get("/api/v1/summary").status) == (
        303,
        200,
        401,
    )
    acts = office.rows("SELECT act FROM web.acts WHERE actor = 'ann' ORDER BY id")
    assert [row["act"] for row in acts] == ["end_session", "revoke"]


def test_a_role_holds_at_once(office: Office) -> None:
    office.user("ann")
    [entry_id] = office.failed_invoices(1)
    client, program = office.client("ann"), office.api("ann")
    office.do(lambda c: users.set_role(c, SET_UP, "ann", "viewer"))
    assert client.get("/plan", do="retry", entry=entry_id).status == 403
    assert program.post("/api/v1/retry", {"entries": [entry_id]}).status == 403


def test_who_signs_in_anew_comes_back_and_nothing_was_done(office: Office) -> None:
    office.user("ann")
    entry_id = undecided(office)
    client = office.client("ann")
    page = f"/entries/{entry_id}/decide?send=yes"
    mark = form_token(client.get(page).text)
    office.rows("DELETE FROM web.sessions RETURNING 1")
    answer = client.form(
        f"/entries/{entry_id}/decide", {"form_token": mark, "send": "yes"}, Referer=office.url + page
    )
    assert answer.status == 303
    sign_in = client.get(answer.headers["location"]).text
    assert "was not processed" in sign_in
    assert [row["state"] for row in office.rows("SELECT state FROM ledger.commands")] == ["failed"]
    given = {"form_token": form_token(sign_in), "name": "ann", "password": "correct horse battery"}
    wanted = sign_in.partition('name="next" value="')[2].partition('"')[0]
    back = client.form("/sign-in", {**given, "next": wanted})
    assert (back.status, back.headers["location"]) == (303, page)

    for referer in ("https://evil.example/entries", "//evil", "", "no address"):
        office.rows("DELETE FROM web.sessions RETURNING 1")
        answer = client.form("/act", {"form_token": mark}, Referer=referer)
        assert (answer.status, answer.headers["location"]) == (303, "/sign-in?ended=yes")
