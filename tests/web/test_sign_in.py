"""Who gets in, and what is refused."""

import re
from pathlib import Path

import pytest
from starlette.routing import Route

from sbx.actions import users
from sbx.actions.actors import Connection
from sbx.actions.refused import ActionRefused
from sbx.web import form_tokens
from sbx.web.app import PAGES
from sbx.web.auth import throttle
from sbx.web.headers import HEADERS
from tests.web.office import PASSWORD, SET_UP, Office, entry, form_token, serving


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


def wrong(office: Office, count: int, **headers: str) -> list[int]:
    """Try so many wrong passwords for ann, each time as another browser."""
    statuses = []
    for _ in range(count):
        client = office.client()
        token = form_token(client("GET", "/sign-in", headers=headers).text)
        fields = {"form_token": token, "name": "ann", "password": "wrong password"}
        statuses.append(client.form("/sign-in", fields, **headers).status)
    return statuses


@pytest.fixture
def slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits of minutes, on a machine where an attempt may take seconds."""
    monkeypatch.setattr(throttle, "FOR_ONE_USER", throttle.Pace(free=5, longest=400.0, first=100.0))


def test_after_some_wrong_passwords_each_more_waits_longer(office: Office, slowly: None) -> None:
    office.user("ann")
    office.user("bob")
    assert wrong(office, 5) == [403] * 5
    client = office.client()
    refused = client.sign_in("ann")

    assert refused.status == 429
    assert 50 < int(refused.headers["retry-after"]) <= 100
    assert f"Try again in {refused.headers['retry-after']} seconds" in refused.text
    assert client.sign_in("bob").status == 303
    office.rows("UPDATE web.sign_in_attempts SET at = at - interval '100 seconds' RETURNING 1")
    assert wrong(office, 1) == [403]
    assert 150 < int(client.sign_in("ann").headers["retry-after"]) <= 200
    office.rows("UPDATE web.sign_in_attempts SET at = at - interval '200 seconds' RETURNING 1")
    assert client.sign_in("ann").status == 303


def test_nobody_locks_another_out(office: Office, slowly: None) -> None:
    office.user("ann")
    hers, elsewhere = office.client(), office.client()
    assert hers.sign_in("ann").status == 303  # her browser is known from now on
    assert wrong(office, 10) == [403] * 5 + [429] * 5
    for number in range(20):  # from many addresses, as a botnet has them
        assert wrong(office, 1, **{"X-Forwarded-For": f"203.0.113.{number}"}) == [403]

    assert hers.sign_in("ann").status == 303
    away = {"X-Forwarded-For": "198.51.100.7"}
    token = form_token(elsewhere("GET", "/sign-in", headers=away).text)
    fields = {"form_token": token, "name": "ann", "password": PASSWORD}
    assert elsewhere.form("/sign-in", fields, **away).status == 303


def test_a_known_browser_waits_for_its_own_slips_only(office: Office, slowly: None) -> None:
    office.user("ann")
    client = office.client()
    client.sign_in("ann")
    assert [client.sign_in("ann", "wrong password").status for _ in range(6)] == [403] * 5 + [429]
    assert office.client().sign_in("ann").status == 303  # at the same address


def test_a_planted_cookie_makes_no_browser_known(office: Office) -> None:
    office.user("ann")
    client = office.client()
    name = office.cookie("sbx_browser")
    client.cookies[name] = "planted"
    assert client.sign_in("ann").status == 303
    assert client.cookies[name] != "planted"
    kept = client.cookies[name]
    client.sign_in("ann")
    assert client.cookies[name] == kept


def test_a_household_is_one_source_whatever_address_it_takes(office: Office, slowly: None) -> None:
    office.user("ann")
    same = [{"X-Forwarded-For": f"2001:db8:1:2::{number}"} for number in range(6)]
    assert [wrong(office, 1, **each)[0] for each in same] == [403] * 5 + [429]
    assert wrong(office, 1, **{"X-Forwarded-For": "2001:db8:1:3::1"}) == [403]


def test_behind_https_no_other_host_can_plant_a_session(office: Office) -> None:
    office.user("ann")
    client, https = office.client(), {"X-Forwarded-Proto": "https"}
    name = office.session_cookie
    key = office.client("ann").cookies[name]
    client.cookies[name] = key
    assert client("GET", "/", headers=https).status == 303
    client.cookies = {f"__Host-{name}": key}
    assert client("GET", "/", headers=https).status == 200
    mark = form_token(client("GET", "/issues", headers=https).text)
    out = client.form("/sign-out", {"form_token": mark}, **https)
    [gone] = [line for line in out.headers.getlist("set-cookie") if "sbx_session" in line]
    assert gone.startswith(f"__Host-{name}=") and "Secure" in gone and "Max-Age=0" in gone
    assert "domain" not in gone.lower()


def test_the_page_is_served_under_its_own_names_only(database_url: str, tmp_path: Path) -> None:
    with serving(database_url, tmp_path, SBX_WEB_HOSTS="sbx.example.com") as office:
        client, port = office.client(), office.url.rpartition(":")[2]
        for host in ("localhost", f"127.0.0.1:{port}", "[::1]:80", "sbx.example.com", "SBX.example.com:443"):
            assert client("GET", "/sign-in", headers={"Host": host}).status == 200, host
        for host in ("evil.example", "sbx.example.com.evil.example", "203.0.113.9", "evil.example:8321"):
            refused = client("GET", "/sign-in", headers={"Host": host})
            assert (refused.status, "SBX_WEB_HOSTS" in refused.text) == (421, True), host
            assert client("GET", "/healthz", headers={"Host": host}).status == 200


def test_what_a_trusted_proxy_says_counts_and_nobody_else_s_word(database_url: str, tmp_path: Path) -> None:
    said = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example, sbx.example.com"}
    said |= {"X-Forwarded-For": "203.0.113.9"}
    with serving(database_url, tmp_path, SBX_WEB_HOSTS="sbx.example.com") as office:
        office.user("ann")
        client = office.client()
        client.cookies["__Host-sbx_session"] = office.client("ann").cookies[office.session_cookie]
        page = client("GET", "/connect", headers=said)
        assert "https://sbx.example.com/connect/callback" in page.text
        mark = form_token(page.text)
        given = {"form_token": mark, "account": "acme", "client_id": "app"}
        asked = client.form("/connect/browser", given, Origin="https://sbx.example.com", **said)
        assert asked.status == 200
        assert "redirect_uri=https%3A%2F%2Fsbx.example.com%2Fconnect%2Fcallback" in asked.text
    with serving(
        database_url, tmp_path, SBX_WEB_HOSTS="sbx.example.com", SBX_WEB_TRUSTED_PROXIES="10.0.0.5"
    ) as office:
        answer = office.client()("GET", "/sign-in", headers=said)
        assert answer.status == 200
        assert "strict-transport-security" not in answer.headers
        assert office.client("ann")("GET", "/connect", headers=said).text.count("sbx.example.com") == 0


def test_the_right_password_wipes_out_earlier_slips(office: Office) -> None:
    office.user("ann")
    client = office.client()
    for _ in range(3):
        for _ in range(throttle.FOR_ONE_USER.free - 1):
            client.sign_in("ann", "wrong password")
        assert client.sign_in("ann").status == 303


def test_a_link_signs_in_once_and_only_while_no_users_are_set_up(office: Office) -> None:
    async def local_link(connection: Connection) -> str:
        name = await users.local_user(connection)
        assert name is not None
        return await users.new_link(connection, name)

    key = office.do(local_link)
    client = office.client()
    assert client.follow(key).status == 303
    assert 'local</a><span class="role"> · operator' in client.get("/").text
    again = office.client().follow(key)
    assert (again.status, "already used" in again.text) == (403, True)

    late = office.do(local_link)
    office.rows("UPDATE web.links SET expires_at = now() RETURNING 1")
    assert office.client().follow(late).status == 403

    unused = office.do(local_link)
    office.user("ann")
    assert client.get("/").status == 303
    assert office.client().follow(unused).status == 403
    assert office.do(users.local_user) is None


def test_a_link_for_this_machine_is_not_taken_from_another_one(office: Office) -> None:
    office.do(users.local_user)
    key = office.do(lambda c: users.new_link(c, users.LOCAL))
    answer = office.client().follow(key, **{"X-Forwarded-For": "203.0.113.9"})

    assert answer.status == 403


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_whatever_fetches_a_link_does_not_use_it_up(office: Office, method: str) -> None:
    """Mail scanners and previews of chats do."""
    office.user("ann")
    key = office.do(lambda c: users.new_link(c, "ann"))
    for _ in range(2):
        fetched = office.client()(method, f"/sign-in/once?key={key}")
        assert fetched.status == 200
        assert not [line for line in fetched.headers.getlist("set-cookie") if "sbx_session" in line]
    other = office.client()
    assert other.form("/sign-in/once", {"key": key}).status == 403  # a page of others
    assert office.client().follow(key).status == 303


POSTS = [
    re.sub(r"\{\w+:int\}", "1", route.path)
    for route in PAGES
    if isinstance(route, Route) and "POST" in (route.methods or ())
]


@pytest.mark.parametrize("path", [*POSTS, "/sign-in", "/sign-in/once"])
def test_forms_of_others_are_refused(office: Office, path: str) -> None:
    office.user("ann")
    client = office.client("ann")
    mark = client.mark() if "/sign-in" not in path else form_token(client.get(path).text)
    other = office.client("ann").mark()

    assert client.form(path, {}).status == 403
    assert client.form(path, {"form_token": other}).status == 403
    assert client.form(path, {"form_token": mark}, Origin="https://evil.example").status == 403
    assert client.form(path, {"form_token": mark}, Origin="null").status == 403
    assert client.form(path, {"form_token": mark}, Origin=office.url).status != 403 or "/sign-in" in path


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
