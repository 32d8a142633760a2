"""Who gets in, and what is refused."""

import re

import pytest
from starlette.routing import Route

from sbx.actions import users
from sbx.actions.actors import Connection
from sbx.actions.refused import ActionRefused
from sbx.web import form_tokens
from sbx.web.app import PAGES
from sbx.web.auth import throttle
from sbx.web.headers import HEADERS
from tests.web.office import PASSWORD, SET_UP, Office, entry, form_token


def test_name_and_password_open_a_session_with_a_guarded_cookie(office: Office) -> None:
    office.user("ann")
    client = office.client()
    answer = client.sign_in("Ann ")

    assert (answer.status, answer.headers["location"]) == (303, "/")
    cookie = next(
        line for line in answer.headers.getlist("set-cookie") if line.startswith(f"{office.session_cookie}=")
    )
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie  # plain http on this machine; see the next test
    assert client.get("/").status == 200
    [kept] = office.rows("SELECT key_hash FROM web.sessions")
    assert client.cookies[office.session_cookie].encode() not in bytes(kept["key_hash"])


def test_behind_https_the_cookie_is_secure(office: Office) -> None:
    office.user("ann")
    client = office.client()
    forwarded = {"X-Forwarded-Proto": "https"}
    token = form_token(client("GET", "/sign-in", headers=forwarded).text)
    fields = {"form_token": token, "name": "ann", "password": PASSWORD}
    answer = client.form("/sign-in", fields, **forwarded)

    assert answer.status == 303
    assert "Secure" in answer.headers["set-cookie"]
    assert "max-age" in answer.headers["strict-transport-security"]


@pytest.mark.parametrize(("name", "password"), [("ann", "wrong password"), ("nobody", PASSWORD), ("", "")])
def test_wrong_name_or_password_say_the_same(office: Office, name: str, password: str) -> None:
    office.user("ann")
    answer = office.client().sign_in(name, password)

    assert answer.status == 403
    assert "The name or the password is not right." in answer.text


def test_nobody_sees_anything_without_a_session(office: Office) -> None:
    client = office.client()
    page = client.get("/issues", account="acme")
    assert (page.status, page.headers["location"]) == (303, "/sign-in?next=/issues%3Faccount%3Dacme")
    assert client.get("/nowhere").status == 303
    answer = client.get("/api/v1/entries")
    assert (answer.status, answer.json["error"]["code"]) == (401, "not_signed_in")
    client.cookies[office.session_cookie] = "made up"
    assert client.get("/").status == 303
    client.token = "sbx_made_up"
    assert client.get("/api/v1/entries").status == 401


def test_sign_out_ends_the_session_for_good(office: Office) -> None:
    office.user("ann")
    client = office.client("ann")
    session = client.cookies[office.session_cookie]
    assert client.form("/sign-out", {"form_token": client.mark()}).status == 303

    client.cookies[office.session_cookie] = session
    assert client.get("/").status == 303


def test_sessions_and_tokens_run_out(office: Office) -> None:
    office.user("ann")
    client, program = office.client("ann"), office.api("ann")
    assert program.get("/api/v1/entries").status == 200
    office.rows("UPDATE web.sessions SET expires_at = now() RETURNING 1")
    office.rows("UPDATE web.tokens SET expires_at = now() RETURNING 1")

    assert client.get("/").status == 303
    assert program.get("/api/v1/entries").status == 401


def test_another_password_ends_the_sessions(office: Office) -> None:
    office.user("ann")
    client = office.client("ann")
    office.do(lambda c: users.set_password(c, SET_UP, "ann", "another long password"))

    assert client.get("/").status == 303
    assert client.sign_in("ann").status == 403
    assert client.sign_in("ann", "another long password").status == 303


@pytest.mark.parametrize(
    ("wanted", "taken"),
    [("/issues?a=b", "/issues?a=b"), ("//evil.example", "/"), ("/\\evil", "/"), ("https://evil", "/")],
)
def test_after_signing_in_one_is_where_one_wanted_to_be_but_only_here(
    office: Office, wanted: str, taken: str
) -> None:
    office.user("ann")
    client = office.client()
    token = form_token(client.get("/sign-in").text)
    fields = {"form_token": token, "name": "ann", "password": PASSWORD, "next": wanted}

    assert client.form("/sign-in", fields).headers["location"] == taken


def test_too_many_wrong_passwords_are_refused_even_before_the_right_one(office: Office) -> None:
    office.user("ann")
    office.user("bob")
    client = office.client()
    for _ in range(throttle.LIMITS["both"]):
        assert client.sign_in("ann", "wrong password").status == 403
    refused = client.sign_in("ann")

    assert refused.status == 429
    assert int(refused.headers["retry-after"]) > 0
    assert client.sign_in("bob").status == 303
    office.rows("UPDATE web.sign_in_attempts SET at = at - interval '1 day' RETURNING 1")
    assert client.sign_in("ann").status == 303


def test_the_right_password_wipes_out_earlier_slips(office: Office) -> None:
    office.user("ann")
    client = office.client()
    for _ in range(3):
        for _ in range(throttle.LIMITS["both"] - 1):
            client.sign_in("ann", "wrong password")
        assert client.sign_in("ann").status == 303


def test_a_link_signs_in_once_and_only_while_no_users_are_set_up(office: Office) -> None:
    async def local_link(connection: Connection) -> str:
        name = await users.local_user(connection)
        assert name is not None
        return await users.new_link(connection, name)

    key = office.do(local_link)
    client = office.client()
    assert client.get("/sign-in/once", key=key).status == 303
    assert 'local</a><span class="role"> · operator' in client.get("/").text
    again = office.client().get("/sign-in/once", key=key)
    assert (again.status, "already used" in again.text) == (403, True)

    late = office.do(local_link)
    office.rows("UPDATE web.links SET expires_at = now() RETURNING 1")
    assert office.client().get("/sign-in/once", key=late).status == 403

    unused = office.do(local_link)
    office.user("ann")
    assert client.get("/").status == 303
    assert office.client().get("/sign-in/once", key=unused).status == 403
    assert office.do(users.local_user) is None


def test_a_link_for_this_machine_is_not_taken_from_another_one(office: Office) -> None:
    office.do(users.local_user)
    key = office.do(lambda c: users.new_link(c, users.LOCAL))
    answer = office.client()("GET", f"/sign-in/once?key={key}", headers={"X-Forwarded-For": "203.0.113.9"})

    assert answer.status == 403


POSTS = [
    re.sub(r"\{\w+:int\}", "1", route.path)
    for route in PAGES
    if isinstance(route, Route) and "POST" in (route.methods or ())
]


@pytest.mark.parametrize("path", [*POSTS, "/sign-in"])
def test_forms_of_others_are_refused(office: Office, path: str) -> None:
    office.user("ann")
    client = office.client("ann")
    mark = client.mark() if path != "/sign-in" else form_token(client.get("/sign-in").text)
    other = office.client("ann").mark()

    assert client.form(path, {}).status == 403
    assert client.form(path, {"form_token": other}).status == 403
    assert client.form(path, {"form_token": mark}, Origin="https://evil.example").status == 403
    assert client.form(path, {"form_token": mark}, Origin="null").status == 403
    assert client.form(path, {"form_token": mark}, Origin=office.url).status != 403 or path == "/sign-in"


def test_every_answer_has_the_headers_and_is_not_kept(office: Office) -> None:
    client = office.client()
    for path in ("/", "/sign-in", "/nowhere", "/api/v1/entries", "/healthz"):
        headers = client.get(path).headers
        assert {name: headers[name] for name in HEADERS} == HEADERS
        assert headers["cache-control"] == "no-store"
    assert "unsafe" not in HEADERS["Content-Security-Policy"]
    kept = client.get("/static/app.css")
    assert (kept.status, "immutable" in kept.headers["cache-control"]) == (200, True)


def test_pages_have_neither_script_nor_style_inside(office: Office) -> None:
    office.user("ann")
    office.log(entry("e1", 1, "failed", reason_code="number_taken", reason="It is taken."))
    client = office.client("ann")
    for path in ("/", "/issues", "/entries/e1", "/plan?do=retry&entry=e1", "/sign-in"):
        html = client.get(path).text
        assert re.search(r"<style|\sstyle=|\son\w+=|javascript:", html) is None
        assert re.findall(r"<script(?![^>]*\ssrc=)", html) == []


def test_texts_of_others_are_shown_and_not_run(office: Office) -> None:
    office.user("ann")
    bad = "<script>alert(1)</script>"
    hostile = {
        "party_name": bad,
        "record_number": bad,
        "reason": bad,
        "salesbinder_url": "javascript:alert(1)",
    }
    office.log(entry("e1", 1, "failed", reason_code="number_taken", **hostile))
    client = office.client("ann")
    for path in ("/", "/issues", "/entries/e1"):
        html = client.get(path).text
        assert bad not in html
        assert "&lt;script&gt;" in html
        assert "javascript:" not in html


def test_short_passwords_and_odd_names_are_refused(office: Office) -> None:
    with pytest.raises(ActionRefused, match="12 to 512"):
        office.do(lambda c: users.add(c, SET_UP, "ann", "viewer", "short", []))
    for name in ("Ann", "", "a b", "local", "x" * 65):
        with pytest.raises(ActionRefused, match="cannot be a user's name"):
            office.do(lambda c, name=name: users.add(c, SET_UP, name, "viewer", PASSWORD, []))  # type: ignore[misc]
    office.user("ann")
    with pytest.raises(ActionRefused, match="already"):
        office.user("ann")


def test_a_mark_belongs_to_one_cookie() -> None:
    assert form_tokens.is_form_token(form_tokens.form_token("one"), "one")
    assert not form_tokens.is_form_token(form_tokens.form_token("one"), "two")
    assert not form_tokens.is_form_token("ü", "one")
