"""Two pages on one machine: a browser sends a host's cookies to all of its ports."""

from starlette.requests import Request
from starlette.responses import Response

from sbx.web.auth.gate import SESSION_COOKIE, cookie_name, delete_cookie, set_cookie


def at(host: str, scheme: str = "http") -> Request:
    headers = [(b"host", host.encode())]
    return Request({"type": "http", "scheme": scheme, "path": "/", "query_string": b"", "headers": headers})


def name_set(request: Request) -> str:
    response = Response()
    set_cookie(request, response, SESSION_COOKIE, "key", 60)
    return response.headers["set-cookie"].partition("=")[0]


def test_each_port_has_a_cookie_of_its_own() -> None:
    one, other = at("127.0.0.1:8321"), at("127.0.0.1:9000")
    assert name_set(one) == "sbx_session_8321" != name_set(other)
    assert name_set(one) == cookie_name(SESSION_COOKIE, one.url.port)


def test_an_address_without_a_port_has_the_plain_name() -> None:
    assert name_set(at("log.example.com", "https")) == "sbx_session"


def test_what_is_deleted_is_what_was_set() -> None:
    response = Response()
    delete_cookie(at("127.0.0.1:8321"), response, SESSION_COOKIE)
    assert response.headers["set-cookie"].startswith('sbx_session_8321="";')
