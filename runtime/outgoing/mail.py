"""smtplib's connections, through the proxy if there is one."""

import smtplib
import socket
import ssl

from runtime.addresses import host_and_port
from runtime.outgoing.authorities import distrust, tls_context
from runtime.outgoing.proxies import open_tunnel, proxy_for


class _Plain(smtplib.SMTP):
    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        proxy = proxy_for(f"smtp://{host_and_port(host, port)}")
        if proxy is None:
            return socket.create_connection((host, port), timeout)
        sock = socket.create_connection((proxy.host, proxy.port), timeout)
        try:
            open_tunnel(sock, host, port, proxy.address, proxy.headers, timeout)
            sock.settimeout(timeout)
        except BaseException:
            sock.close()
            raise
        return sock


class _WithTls(smtplib.SMTP_SSL, _Plain):
    """Takes its socket from the class that stands behind ``SMTP_SSL`` in the order of bases."""


def mail_server(host: str, port: int, seconds: float, *, with_tls: bool) -> smtplib.SMTP:
    """Return a connection to a mail server.

    Args:
        seconds: for the proxy's answer, and for each of the server's.
        with_tls: from the first byte on; else it may be asked for later.

    Raises:
        ProxyTrouble: the proxy does not lead there.
        InvalidEnvironment: HTTPS_PROXY names no proxy that can be used.
        OSError, smtplib.SMTPException: the server cannot be reached or is none.
    """
    if with_tls:
        return _WithTls(host, port, timeout=seconds, context=tls_context())
    return _Plain(host, port, timeout=seconds)


def in_words(error: Exception, host: str) -> str:
    """Return what went wrong with a mail server, in words that show no secret."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return distrust(error, host)
    return type(error).__name__
