"""Read single variables, each checked.

All raise ``InvalidEnvironment`` for a value that cannot be used; it names variable, value and remedy.
"""

import ipaddress
import re
import ssl
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import platformdirs

from runtime.addresses import is_host_and_port
from runtime.invalid import InvalidEnvironment
from runtime.outgoing.proxies import check_proxies

_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]*:[0-9a-f:.]*:[0-9a-f:.]*")
"""A name, or an IPv6 address."""
_IN_FILES = {
    "SBX_SECRET_KEY_FILE": "SBX_SECRET_KEY",
    "SBX_SECRET_KEY_OLD_FILE": "SBX_SECRET_KEY_OLD",
    "SBX_DATABASE_URL_FILE": "SBX_DATABASE_URL",
    "SBX_KAFKA_SASL_PASSWORD_FILE": "SBX_KAFKA_SASL_PASSWORD",
}
"""Variables that name the file with the value of another one."""


def from_files(given: Mapping[str, str]) -> dict[str, str]:
    """Return the secrets that are in files.

    Raises:
        InvalidEnvironment: a file cannot be read or is blank, or the secret is given twice.
    """
    found = {}
    for variable, name in _IN_FILES.items():
        file = given.get(variable)
        if not file:
            continue
        if given.get(name):
            raise InvalidEnvironment(variable, file, f"and {name} are both set", "unset one of them")
        try:
            found[name] = Path(file).expanduser().read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            said = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise InvalidEnvironment(
                variable, file, f"cannot be read ({said})", "name a file that this user may read"
            ) from None
        if not found[name]:
            raise InvalidEnvironment(variable, file, "names a blank file", "write the secret into it")
    return found


def _listed(variable: str, given: Mapping[str, str]) -> list[str]:
    return [each.strip() for each in given.get(variable, "").split(",") if each.strip()]


def servers(variable: str, given: Mapping[str, str]) -> str | None:
    """Return brokers, ``host:port`` each, separated by commas; None if there are none."""
    value = given.get(variable)
    if value is None:
        return None
    found = _listed(variable, given)
    for server in found:
        if not is_host_and_port(server):
            raise InvalidEnvironment(
                variable,
                value,
                f"'{server}' is not host:port",
                "write it as kafka-1:9092,kafka-2:9092, an IPv6 address as [fd00::1]:9092",
            )
    return ",".join(found)


def check_outgoing(environ: Mapping[str, str], given: Mapping[str, str]) -> None:
    """Check what connections to Xero, SalesBinder and others go by; ``runtime.outgoing`` reads it itself."""
    check_proxies(environ)
    pem_file("SSL_CERT_FILE", {name: value.strip() for name, value in environ.items() if value.strip()})
    ca_file = pem_file("SBX_CA_FILE", given)
    if ca_file is not None:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(ca_file)
        except (ssl.SSLError, OSError) as error:
            raise InvalidEnvironment(
                "SBX_CA_FILE", ca_file, f"cannot be used ({error})", "name a PEM file of authorities"
            ) from error


def choice(variable: str, given: Mapping[str, str], choices: tuple[str, ...]) -> str | None:
    """Return one of these words, in capitals; None if none is given."""
    value = given.get(variable)
    if value is not None and value.upper() not in choices:
        raise InvalidEnvironment(variable, value, "is not supported", f"use one of {', '.join(choices)}")
    return value.upper() if value is not None else None


def pem_file(variable: str, given: Mapping[str, str]) -> str | None:
    """Return the path of a file that there is; None if none is given."""
    value = given.get(variable)
    if value is not None and not Path(value).is_file():
        raise InvalidEnvironment(variable, value, "there is no such file", "name a readable PEM file")
    return value


def networks(variable: str, given: Mapping[str, str]) -> tuple[str, ...]:
    """Return addresses and networks."""
    try:
        return tuple(str(ipaddress.ip_network(each)) for each in _listed(variable, given))
    except ValueError as error:
        raise InvalidEnvironment(
            variable,
            given[variable],
            f"has something else than addresses ({error})",
            "write 10.0.0.5, 10.1.0.0/16",
        ) from None


def hosts(variable: str, given: Mapping[str, str]) -> tuple[str, ...]:
    """Return names of hosts."""
    found = tuple(each.lower().strip("[]") for each in _listed(variable, given))
    for host in found:
        if not _HOST.fullmatch(host):
            raise InvalidEnvironment(
                variable,
                given[variable],
                f"'{host}' is not the name of a host",
                "write it as sbx.example.com, without https:// and port",
            )
    return found


def database(variable: str, given: Mapping[str, str]) -> str | None:
    """Return the database's address; None if none is given."""
    value = given.get(variable)
    if value is None:
        return None
    remedy = "write it as postgresql://user:password@host:5432/database"
    if not value.startswith(("postgresql://", "postgres://")):
        raise InvalidEnvironment(variable, "…", "is not a postgresql:// address", remedy)
    import psycopg  # here: services can start before it is loaded
    from psycopg.conninfo import conninfo_to_dict

    try:
        conninfo_to_dict(value)
    except psycopg.ProgrammingError:
        # Not "from": libpq's message may quote the value, password and all.
        raise InvalidEnvironment(variable, "…", "cannot be read by PostgreSQL's client", remedy) from None
    return value


def web_address(variable: str, given: Mapping[str, str], default: str) -> str:
    """Return an address of the web, without a slash at its end."""
    value = given.get(variable, default).rstrip("/")
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise InvalidEnvironment(variable, value, "is not a web address", f"write it as {default}")
    return value


def salesbinder_address(variable: str, given: Mapping[str, str]) -> str | None:
    """Return the address of a stand-in for SalesBinder; None if none is given."""
    value = given.get(variable)
    if value is None:
        return None
    example = "https://{account}.salesbinder.com/api/2.0"
    if "@" in value:
        raise InvalidEnvironment(variable, "…", "has a user or key in it", f"write it as {example}")
    web_address(variable, {variable: value.replace("{account}", "account")}, example)
    return value.rstrip("/")


def data_dir(variable: str, given: Mapping[str, str]) -> Path:
    """Return the data directory. It does not depend on the working directory, so that ``sbx`` finds the same
    data wherever it is called.
    """
    value = given.get(variable)
    return Path(value).expanduser() if value else platformdirs.user_data_path("sbx", appauthor=False)


def folder(variable: str, given: Mapping[str, str]) -> Path | None:
    """Return a folder, absolute; None if none is given."""
    value = given.get(variable)
    return Path(value).expanduser().absolute() if value else None


_LEAST_KEPT_DAYS = 35
"""More than the 30 days for which commands and results stay on their topics: what comes again from there is
still known whole."""


def keep(variable: str, given: Mapping[str, str]) -> int | None:
    """Return for how many days what has ended is kept; None for ever."""
    value = given.get(variable, "400")
    if value.casefold() == "forever":
        return None
    if not (value.isascii() and value.isdecimal()) or not _LEAST_KEPT_DAYS <= int(value) <= 36_500:
        raise InvalidEnvironment(
            variable,
            value,
            "is not a number of days",
            f"a number from {_LEAST_KEPT_DAYS} to 36500, or forever",
        )
    return int(value)


def number(variable: str, given: Mapping[str, str], least: int, most: int) -> int | None:
    """Return a whole number within bounds; None if none is given."""
    value = given.get(variable)
    if value is None:
        return None
    if not (value.isascii() and value.isdecimal()) or not least <= int(value) <= most:
        raise InvalidEnvironment(variable, value, "is out of range", f"a number from {least} to {most}")
    return int(value)


def rate(variable: str, given: Mapping[str, str]) -> float:
    """Return how many seconds pass in one."""
    value = given.get(variable, "1")
    try:
        found = float(value)
    except ValueError:
        found = 0.0
    if not 0 < found <= 100_000:
        raise InvalidEnvironment(
            variable, value, "is not a rate above 0", "leave it unset outside of benchmarks"
        )
    return found
