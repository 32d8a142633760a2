"""The variables ``SBX_…``: read once, checked, and given to each library in its own form."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runtime import variables
from runtime.addresses import host_and_port
from runtime.invalid import InvalidEnvironment as InvalidEnvironment

DEFAULT_XERO_API_URL = "https://api.xero.com/api.xro/2.0"
DEFAULT_XERO_IDENTITY_URL = "https://identity.xero.com"

_API_PATH = "/api.xro/2.0"
_TOKEN_PATH = "/connect/token"
_AUTHORIZE_PATH = "/identity/connect/authorize"
_XERO_LOGIN_URL = "https://login.xero.com"
_PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
_MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")


@dataclass(frozen=True, kw_only=True)
class Environment:
    """Everything that is configured outside of the database."""

    kafka_bootstrap_servers: str | None = None
    """``host:port``, separated by commas; None means the embedded Kafka."""
    kafka_security_protocol: str = "PLAINTEXT"
    kafka_sasl_mechanism: str | None = None
    kafka_sasl_username: str | None = None
    kafka_sasl_password: str | None = field(default=None, repr=False)
    kafka_ssl_cafile: str | None = None
    kafka_ssl_certfile: str | None = None
    kafka_ssl_keyfile: str | None = None
    database_url: str | None = field(default=None, repr=False)
    """``postgresql://…``; None means the embedded PostgreSQL."""
    database_connections: int = 4
    """How many connections a deliver worker's pool may hold; besides these, there is one for its listener
    and, at times, some for its gauges and for fetching tokens.
    """
    xero_api_url: str = DEFAULT_XERO_API_URL
    """Ends with ``/api.xro/2.0``."""
    xero_identity_url: str = DEFAULT_XERO_IDENTITY_URL
    salesbinder_api_url: str | None = None
    """``{account}`` in it is replaced; None means SalesBinder's own."""
    xero_app_client_id: str | None = None
    """The app with which accounts are connected in the browser if the command names none."""
    data_dir: Path
    secret_key: str | None = field(default=None, repr=False)
    """The key that encrypts stored secrets; None means the one in the data directory."""
    secret_key_old: str | None = field(default=None, repr=False)
    """The key before it, which still decrypts them."""
    worker_name: str | None = None
    """A name that no other living worker has; a worker restarted under it gets its partitions back at
    once.
    """
    metrics_host: str = "127.0.0.1"
    """The address at which ``/metrics``, ``/healthz`` and ``/readyz`` are served."""
    metrics_port: int | None = None
    """None: they are not served."""
    keep_days: int | None = 400
    """Days for which what has ended stays in the database; None: for ever."""
    archive_dir: Path | None = None
    """Where it goes then; None: nowhere, so that it stays."""
    worker_restarts: int = 0
    """How often the supervisor has restarted this worker, as the supervisor says."""
    web_trusted_proxies: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    """Addresses and networks of proxies whose word about the client is taken."""
    web_hosts: tuple[str, ...] = ()
    """Names under which the page is served, besides this machine's own."""
    clock_rate: float = 1.0
    """How many seconds of Xero's windows pass in one: only for benchmarks against a stand-in."""

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> "Environment":
        """Return the environment, checked.

        Raises:
            InvalidEnvironment: a value cannot be used; names variable, value and remedy.
        """
        given = {name: value.strip() for name, value in environ.items() if name.startswith("SBX_")}
        given |= variables.from_files(given)
        given = {name: value for name, value in given.items() if value}
        api_url = variables.web_address("SBX_XERO_API_URL", given, DEFAULT_XERO_API_URL)
        environment = cls(
            kafka_bootstrap_servers=variables.servers("SBX_KAFKA_BOOTSTRAP_SERVERS", given),
            kafka_security_protocol=variables.choice("SBX_KAFKA_SECURITY_PROTOCOL", given, _PROTOCOLS)
            or "PLAINTEXT",
            kafka_sasl_mechanism=variables.choice("SBX_KAFKA_SASL_MECHANISM", given, _MECHANISMS),
            kafka_sasl_username=given.get("SBX_KAFKA_SASL_USERNAME"),
            kafka_sasl_password=given.get("SBX_KAFKA_SASL_PASSWORD"),
            kafka_ssl_cafile=variables.pem_file("SBX_KAFKA_SSL_CAFILE", given),
            kafka_ssl_certfile=variables.pem_file("SBX_KAFKA_SSL_CERTFILE", given),
            kafka_ssl_keyfile=variables.pem_file("SBX_KAFKA_SSL_KEYFILE", given),
            database_url=variables.database("SBX_DATABASE_URL", given),
            database_connections=variables.number("SBX_DATABASE_CONNECTIONS", given, 2, 100) or 4,
            xero_api_url=api_url if api_url.endswith(_API_PATH) else api_url + _API_PATH,
            xero_identity_url=variables.web_address(
                "SBX_XERO_IDENTITY_URL", given, DEFAULT_XERO_IDENTITY_URL
            ),
            salesbinder_api_url=variables.salesbinder_address("SBX_SALESBINDER_API_URL", given),
            xero_app_client_id=given.get("SBX_XERO_APP_CLIENT_ID"),
            data_dir=variables.data_dir("SBX_DATA_DIR", given),
            secret_key=given.get("SBX_SECRET_KEY"),
            secret_key_old=given.get("SBX_SECRET_KEY_OLD"),
            worker_name=given.get("SBX_WORKER_NAME"),
            metrics_host=given.get("SBX_METRICS_HOST", "127.0.0.1"),
            metrics_port=variables.number("SBX_METRICS_PORT", given, 1, 65535),
            keep_days=variables.keep("SBX_KEEP", given),
            archive_dir=variables.folder("SBX_ARCHIVE_DIR", given),
            worker_restarts=variables.number("SBX_WORKER_RESTARTS", given, 0, 10**9) or 0,
            web_trusted_proxies=variables.networks("SBX_WEB_TRUSTED_PROXIES", given)
            or cls.web_trusted_proxies,
            web_hosts=variables.hosts("SBX_WEB_HOSTS", given),
            clock_rate=variables.rate("SBX_CLOCK_RATE", given),
        )
        environment._check_together()
        variables.check_outgoing(environ, given)
        return environment

    @property
    def xero_connections_url(self) -> str:
        """Where Xero lists the organisations of a token: ``{…}/connections``."""
        return self.xero_api_url.removesuffix(_API_PATH) + "/connections"

    @property
    def xero_token_url(self) -> str:
        """Where tokens are fetched."""
        url = self.xero_identity_url
        return url if url.endswith(_TOKEN_PATH) else url + _TOKEN_PATH

    @property
    def xero_authorize_url(self) -> str:
        """Where people allow access in the browser. Xero has a separate host for it, a stand-in has one for
        both.
        """
        identity = self.xero_identity_url.removesuffix(_TOKEN_PATH)
        return (_XERO_LOGIN_URL if identity == DEFAULT_XERO_IDENTITY_URL else identity) + _AUTHORIZE_PATH

    @property
    def database_url_shown(self) -> str | None:
        """The database's address without its password."""
        if self.database_url is None:
            return None
        from psycopg.conninfo import conninfo_to_dict  # here: services can start before it is loaded

        parts = conninfo_to_dict(self.database_url)
        parts.pop("password", None)
        user, host, port = (parts.pop(name, "") for name in ("user", "host", "port"))
        database = parts.pop("dbname", "")
        at = host_and_port(str(host), str(port)).removesuffix(":")
        return f"postgresql://{user}{'@' if user else ''}{at}/{database}"

    def ssl_context(self) -> ssl.SSLContext | None:
        """Return the TLS context for connections to Kafka, or None if its security protocol has no TLS.

        Raises:
            InvalidEnvironment: a certificate or key cannot be used.
        """
        if "SSL" not in self.kafka_security_protocol:
            return None
        try:
            context = ssl.create_default_context(cafile=self.kafka_ssl_cafile)
            if self.kafka_ssl_certfile:
                context.load_cert_chain(self.kafka_ssl_certfile, self.kafka_ssl_keyfile)
        except (ssl.SSLError, OSError) as error:
            raise InvalidEnvironment(
                "SBX_KAFKA_SSL_CAFILE, SBX_KAFKA_SSL_CERTFILE, SBX_KAFKA_SSL_KEYFILE",
                ", ".join(
                    str(name)
                    for name in (self.kafka_ssl_cafile, self.kafka_ssl_certfile, self.kafka_ssl_keyfile)
                ),
                f"cannot be used ({error})",
                "name PEM files: the authority's certificates, our certificate and its key",
            ) from error
        return context

    def kafka_python(self) -> dict[str, Any]:
        """Return the keyword arguments of kafka-python's clients: where the broker is and how to log in.

        Raises:
            InvalidEnvironment: no Kafka is configured, or its certificates cannot be used.
        """
        login = self._kafka_login()
        return {
            **login,
            "bootstrap_servers": str(login["bootstrap_servers"]).split(","),
            "ssl_context": self.ssl_context(),
        }

    def faust(self) -> dict[str, Any]:
        """Return the keyword arguments of ``faust.App``: the broker's URLs and credentials.

        Raises:
            InvalidEnvironment: no Kafka is configured, or its certificates cannot be used.
        """
        import faust  # takes half a second, which commands without streams need not spend

        servers = str(self._kafka_login()["bootstrap_servers"]).split(",")
        context = self.ssl_context()
        credentials: Any = None
        if self.kafka_security_protocol.startswith("SASL"):
            credentials = faust.SASLCredentials(
                username=self.kafka_sasl_username,
                password=self.kafka_sasl_password,
                mechanism=self.kafka_sasl_mechanism,
                ssl_context=context,
            )
        elif context is not None:
            credentials = faust.SSLCredentials(context)
        return {"broker": [f"kafka://{server}" for server in servers], "broker_credentials": credentials}

    def psycopg(self, application_name: str) -> dict[str, Any]:
        """Return the keyword arguments of ``psycopg.connect``: address, name in ``pg_stat_activity``, time
        limits.

        Raises:
            InvalidEnvironment: no database is configured.
        """
        if self.database_url is None:
            raise InvalidEnvironment(
                "SBX_DATABASE_URL", "", "is not set", "set it, or run 'sbx up' for the embedded one"
            )
        from psycopg.conninfo import make_conninfo  # as above

        conninfo = make_conninfo(self.database_url, application_name=application_name)
        return {"conninfo": conninfo, "connect_timeout": 10, "keepalives_idle": 30, "keepalives_interval": 10}

    def _kafka_login(self) -> dict[str, Any]:
        if self.kafka_bootstrap_servers is None:
            raise InvalidEnvironment(
                "SBX_KAFKA_BOOTSTRAP_SERVERS",
                "",
                "is not set",
                "set it, or start the embedded Kafka with 'sbx up'",
            )
        login: dict[str, Any] = {
            "bootstrap_servers": self.kafka_bootstrap_servers,
            "security_protocol": self.kafka_security_protocol,
        }
        if self.kafka_security_protocol.startswith("SASL"):
            login["sasl_mechanism"] = self.kafka_sasl_mechanism
            login["sasl_plain_username"] = self.kafka_sasl_username
            login["sasl_plain_password"] = self.kafka_sasl_password
        return login

    def _check_together(self) -> None:
        """Check that variables which need each other are set together."""
        if self.kafka_security_protocol.startswith("SASL"):
            for name in ("mechanism", "username", "password"):
                if getattr(self, f"kafka_sasl_{name}") is None:
                    raise InvalidEnvironment(
                        f"SBX_KAFKA_SASL_{name.upper()}",
                        "",
                        "is not set",
                        f"SBX_KAFKA_SECURITY_PROTOCOL={self.kafka_security_protocol} needs it",
                    )
        if self.kafka_ssl_keyfile and not self.kafka_ssl_certfile:
            raise InvalidEnvironment(
                "SBX_KAFKA_SSL_CERTFILE", "", "is not set", "SBX_KAFKA_SSL_KEYFILE needs its certificate"
            )
