"""Which proxy leads where, as the environment says it."""

import pytest

from runtime.invalid import InvalidEnvironment
from runtime.outgoing.proxies import check_proxies, proxy_for

XERO = "https://api.xero.com/api.xro/2.0"


def address(url: str, **environ: str) -> str | None:
    proxy = proxy_for(url, environ)
    return None if proxy is None else proxy.address


@pytest.mark.parametrize(
    ("url", "environ", "expected"),
    [
        (XERO, {}, None),
        (XERO, {"HTTPS_PROXY": "http://p:3128"}, "p:3128"),
        (XERO, {"https_proxy": "http://p:3128/"}, "p:3128"),
        (XERO, {"HTTPS_PROXY": "http://upper:1", "https_proxy": "http://lower:2"}, "lower:2"),
        (XERO, {"HTTPS_PROXY": "http://upper:1", "https_proxy": ""}, None),
        (XERO, {"HTTPS_PROXY": "p:3128"}, "p:3128"),
        (XERO, {"HTTPS_PROXY": "http://p"}, "p:80"),
        (XERO, {"HTTPS_PROXY": "http://[fd00::1]:3128"}, "[fd00::1]:3128"),
        (XERO, {"HTTP_PROXY": "http://p:3128"}, None),
        ("http://intranet/hook", {"HTTP_PROXY": "http://p:3128"}, "p:3128"),
        ("http://intranet/hook", {"HTTPS_PROXY": "http://p:3128"}, None),
        ("smtp://mail.example:587", {"HTTPS_PROXY": "http://p:3128"}, "p:3128"),
        ("smtps://mail.example:465", {"HTTPS_PROXY": "http://p:3128"}, "p:3128"),
    ],
)
def test_the_variables(url: str, environ: dict[str, str], expected: str | None) -> None:
    assert address(url, **environ) == expected


@pytest.mark.parametrize(
    ("url", "no_proxy", "is_direct"),
    [
        ("https://api.xero.com", "*", True),
        ("https://api.xero.com", "xero.com", True),
        ("https://api.xero.com", ".xero.com", True),
        ("https://API.Xero.com", "other, api.xero.com", True),
        ("https://api.xero.com", "ero.com", False),
        ("https://api.xero.com:8443", "api.xero.com:8443", True),
        ("https://api.xero.com:8443", "api.xero.com:443", False),
        ("https://10.1.2.3/hook", "10.0.0.0/8", True),
        ("https://10.1.2.3/hook", "11.0.0.0/8", False),
        ("https://[fd00::7]:9/hook", "fd00::/8", True),
        ("https://[fd00::7]/hook", "[fd00::7]", True),
        ("https://[fd00::7]/hook", "fd00::8", False),
        ("https://localhost:9/", "", True),
        ("https://127.0.0.1:9/", "", True),
        ("https://[::1]:9/", "", True),
    ],
)
def test_what_is_reached_directly(url: str, no_proxy: str, is_direct: bool) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        assert (address(url, HTTPS_PROXY="http://p:1", **{name: no_proxy}) is None) == is_direct


def test_a_login_is_for_the_proxy_alone() -> None:
    proxy = proxy_for(XERO, {"HTTPS_PROXY": "http://us%40er:p%C3%A4ss:w@p:3128"})
    assert proxy is not None
    assert proxy.headers == {"Proxy-Authorization": "Basic dXNAZXI6cMOkc3M6dw=="}
    assert "dXNA" not in repr(proxy) and proxy.url == "http://p:3128"


@pytest.mark.parametrize(
    "value",
    ["https://u:hidden@p:1", "socks5://u:hidden@p:1", "http://u:hidden@p:port", "http://u:hidden@[p:1",
     "http://u:hidden@p:1/path", "http://u:hidden@:1", "http://u:hidden@p:99999"],
)  # fmt: skip
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "HTTP_PROXY"])
def test_what_is_no_proxy_is_refused_without_its_password(variable: str, value: str) -> None:
    with pytest.raises(InvalidEnvironment) as raised:
        check_proxies({variable: value})
    assert variable in str(raised.value) and "hidden" not in str(raised.value)
    with pytest.raises(InvalidEnvironment):
        check_proxies({variable.lower(): value})
