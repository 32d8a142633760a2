"""The environment: what is read, what is refused, and what each library gets."""

import ssl
from pathlib import Path
from typing import Any

import faust
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from runtime.environment import Environment, InvalidEnvironment


def read(**variables: str) -> Environment:
    return Environment.read({f"SBX_{name}": value for name, value in variables.items()})


def test_nothing_set_means_embedded_services_and_xero_itself() -> None:
    environment = Environment.read({"HOME": "/home/a", "PATH": "/bin"})
    assert environment.kafka_bootstrap_servers is None
    assert environment.database_url is None
    assert environment.xero_api_url == "https://api.xero.com/api.xro/2.0"
    assert environment.xero_connections_url == "https://api.xero.com/connections"
    assert environment.xero_token_url == "https://identity.xero.com/connect/token"
    assert environment.data_dir.name == "sbx"
    assert environment.clock_rate == 1.0


def test_blank_is_unset() -> None:
    assert read(KAFKA_BOOTSTRAP_SERVERS="  ", DATABASE_URL="").database_url is None


@pytest.mark.parametrize(
    "given",
    [
        "http://127.0.0.1:9",
        "http://127.0.0.1:9/",
        "http://127.0.0.1:9/api.xro/2.0",
        "http://127.0.0.1:9/api.xro/2.0/",
    ],
)
def test_a_stand_in_of_xero_is_named_with_or_without_the_api_s_path(given: str) -> None:
    environment = read(XERO_API_URL=given)
    assert environment.xero_api_url == "http://127.0.0.1:9/api.xro/2.0"
    assert environment.xero_connections_url == "http://127.0.0.1:9/connections"


@pytest.mark.parametrize("given", ["http://h/prefix", "http://h/prefix/connect/token"])
def test_the_token_url_is_completed(given: str) -> None:
    assert read(XERO_IDENTITY_URL=given).xero_token_url == "http://h/prefix/connect/token"


def test_plain_kafka() -> None:
    environment = read(KAFKA_BOOTSTRAP_SERVERS="a:1, b:2")
    assert environment.kafka_python() == {
        "bootstrap_servers": ["a:1", "b:2"],
        "security_protocol": "PLAINTEXT",
        "ssl_context": None,
    }
    assert environment.faust() == {"broker": ["kafka://a:1", "kafka://b:2"], "broker_credentials": None}


def test_kafka_with_login_and_tls() -> None:
    environment = read(
        KAFKA_BOOTSTRAP_SERVERS="a:1",
        KAFKA_SECURITY_PROTOCOL="sasl_ssl",
        KAFKA_SASL_MECHANISM="scram-sha-512",
        KAFKA_SASL_USERNAME="u",
        KAFKA_SASL_PASSWORD="secret-p",
    )
    options = environment.kafka_python()
    assert isinstance(options.pop("ssl_context"), ssl.SSLContext)
    assert options == {
        "bootstrap_servers": ["a:1"],
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "u",
        "sasl_plain_password": "secret-p",
    }
    credentials: Any = environment.faust()["broker_credentials"]
    assert isinstance(credentials, faust.SASLCredentials)
    assert (credentials.protocol.value, credentials.mechanism.value) == ("SASL_SSL", "SCRAM-SHA-512")
    assert "secret-p" not in repr(environment)


def test_tls_alone() -> None:
    environment = read(KAFKA_BOOTSTRAP_SERVERS="a:1", KAFKA_SECURITY_PROTOCOL="SSL")
    assert isinstance(environment.faust()["broker_credentials"], faust.SSLCredentials)
    assert isinstance(environment.kafka_python()["ssl_context"], ssl.SSLContext)


@pytest.mark.parametrize(
    ("identity_url", "url"),
    [
        ("", "https://login.xero.com/identity/connect/authorize"),
        ("https://identity.xero.com/connect/token", "https://login.xero.com/identity/connect/authorize"),
        ("http://fake:1/connect/token", "http://fake:1/identity/connect/authorize"),
    ],
)
def test_where_people_agree(identity_url: str, url: str) -> None:
    assert read(XERO_IDENTITY_URL=identity_url).xero_authorize_url == url


def test_the_database() -> None:
    environment = read(DATABASE_URL="postgresql://me:hidden@db:5433/books?sslmode=require")
    options = environment.psycopg("sbx deliver")
    parsed = conninfo_to_dict(options["conninfo"])
    assert (parsed["host"], parsed["port"], parsed["application_name"]) == ("db", "5433", "sbx deliver")
    assert (parsed["password"], parsed["sslmode"]) == ("hidden", "require")
    assert environment.database_url_shown == "postgresql://me@db:5433/books"
    assert "hidden" not in repr(environment)


def test_psycopg_takes_the_options(database_url: str) -> None:
    with psycopg.connect(**read(DATABASE_URL=database_url).psycopg("sbx test")) as connection:
        assert connection.execute("SHOW application_name").fetchone() == ("sbx test",)


@pytest.mark.parametrize(
    ("variables", "variable"),
    [
        ({"KAFKA_BOOTSTRAP_SERVERS": "broker"}, "SBX_KAFKA_BOOTSTRAP_SERVERS"),
        ({"KAFKA_BOOTSTRAP_SERVERS": "a:1,kafka://b:2"}, "SBX_KAFKA_BOOTSTRAP_SERVERS"),
        ({"KAFKA_BOOTSTRAP_SERVERS": "a:99999"}, "SBX_KAFKA_BOOTSTRAP_SERVERS"),
        ({"KAFKA_SECURITY_PROTOCOL": "TLS"}, "SBX_KAFKA_SECURITY_PROTOCOL"),
        ({"KAFKA_SECURITY_PROTOCOL": "SASL_SSL"}, "SBX_KAFKA_SASL_MECHANISM"),
        ({"KAFKA_SASL_MECHANISM": "GSSAPI"}, "SBX_KAFKA_SASL_MECHANISM"),
        ({"KAFKA_SSL_CAFILE": "/no/such/file.pem"}, "SBX_KAFKA_SSL_CAFILE"),
        ({"DATABASE_URL": "mysql://me:hidden@db/x"}, "SBX_DATABASE_URL"),
        ({"DATABASE_URL": "postgresql://me:hidden@db:1/x?nonsense=hidden"}, "SBX_DATABASE_URL"),
        ({"XERO_API_URL": "api.xero.com"}, "SBX_XERO_API_URL"),
        ({"SALESBINDER_API_URL": "acme.salesbinder.com"}, "SBX_SALESBINDER_API_URL"),
        ({"SALESBINDER_API_URL": "https://hidden:x@acme.salesbinder.com/api/2.0"}, "SBX_SALESBINDER_API_URL"),
        ({"XERO_IDENTITY_URL": "ftp://x"}, "SBX_XERO_IDENTITY_URL"),
        ({"CLOCK_RATE": "0"}, "SBX_CLOCK_RATE"),
        ({"CLOCK_RATE": "nan"}, "SBX_CLOCK_RATE"),
        ({"CLOCK_RATE": "fast"}, "SBX_CLOCK_RATE"),
    ],
)
def test_a_wrong_value_names_the_variable_and_a_remedy(variables: dict[str, str], variable: str) -> None:
    with pytest.raises(InvalidEnvironment) as raised:
        read(**variables)
    assert raised.value.variable == variable
    assert raised.value.remedy
    assert "hidden" not in str(raised.value)


def test_a_certificate_that_is_none(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("not a certificate")
    environment = read(
        KAFKA_BOOTSTRAP_SERVERS="a:1", KAFKA_SECURITY_PROTOCOL="SSL", KAFKA_SSL_CAFILE=str(file)
    )
    with pytest.raises(InvalidEnvironment, match="SBX_KAFKA_SSL_CAFILE"):
        environment.ssl_context()


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY"])
def test_a_proxy_that_cannot_be_used_is_refused_at_the_start(variable: str) -> None:
    Environment.read({variable: "http://u:hidden@p:1"})
    with pytest.raises(InvalidEnvironment) as raised:
        Environment.read({variable: "socks5://u:hidden@p:1"})
    assert raised.value.variable == variable.upper()
    assert "hidden" not in str(raised.value) and "http://proxy" in raised.value.remedy


def test_an_authority_that_cannot_be_used_is_refused_at_the_start(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    for variable in ("SBX_CA_FILE", "SSL_CERT_FILE"):
        Environment.read({variable: " "})
        with pytest.raises(InvalidEnvironment, match="no such file") as raised:
            Environment.read({variable: str(file)})
        assert raised.value.variable == variable
    file.write_text("not a certificate")
    with pytest.raises(InvalidEnvironment, match="SBX_CA_FILE"):
        Environment.read({"SBX_CA_FILE": str(file)})


def test_asking_for_what_is_not_configured() -> None:
    environment = read()
    with pytest.raises(InvalidEnvironment, match="SBX_KAFKA_BOOTSTRAP_SERVERS"):
        environment.kafka_python()
    with pytest.raises(InvalidEnvironment, match="SBX_DATABASE_URL"):
        environment.psycopg("x")


# How long what has ended stays


@pytest.mark.parametrize(
    ("given", "days"),
    [(None, 400), ("", 400), ("35", 35), ("36500", 36500), ("forever", None), ("Forever", None)],
)
def test_days_that_are_kept(given: str | None, days: int | None) -> None:
    assert read(**({} if given is None else {"KEEP": given})).keep_days == days


@pytest.mark.parametrize("given", ["0", "34", "36501", "-400", "400d", "1e3", "never", "٤٠٠"])
def test_days_that_are_refused(given: str) -> None:
    with pytest.raises(InvalidEnvironment) as raised:
        read(KEEP=given)
    assert (raised.value.variable, raised.value.value) == ("SBX_KEEP", given)
    assert "35 to 36500" in raised.value.remedy and "forever" in raised.value.remedy


def test_the_archive_does_not_depend_on_the_working_directory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert read().archive_dir is None
    monkeypatch.chdir(tmp_path)
    assert read(ARCHIVE_DIR="kept").archive_dir == tmp_path / "kept"
    monkeypatch.setenv("HOME", str(tmp_path))
    assert read(ARCHIVE_DIR="~/kept").archive_dir == tmp_path / "kept"
