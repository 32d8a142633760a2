"""Whom to believe that a server is who it says."""

import os
import ssl
from functools import lru_cache

import certifi

_OF_OPENSSL = ("SSL_CERT_FILE", "SSL_CERT_DIR")


def tls_context() -> ssl.SSLContext:
    """Return how servers are checked, the same for every connection of this process.

    Trusted are the machine's authorities, or those of ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` instead, and
    besides them those of ``SBX_CA_FILE``.
    """
    for name in _OF_OPENSSL:
        if name in os.environ and not os.environ[name].strip():
            del os.environ[name]  # OpenSSL, which reads it itself, takes a blank name for a file's
    return _context(*(os.environ.get(name, "") for name in _OF_OPENSSL), _own_file())


def _own_file() -> str:
    return os.environ.get("SBX_CA_FILE", "").strip()


@lru_cache(maxsize=8)
def _context(cert_file: str, cert_dir: str, ca_file: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not cert_file and not cert_dir and not context.cert_store_stats()["x509_ca"]:
        context.load_verify_locations(certifi.where())  # a small image has no authorities of its own
    if ca_file:
        context.load_verify_locations(ca_file)
    return context


def distrust(error: ssl.SSLCertVerificationError, host: str) -> str:
    """Return in words that a certificate cannot be trusted, and what to do."""
    return (
        f"the certificate of {host} cannot be trusted ({error.verify_message}): if the company's proxy or "
        "authority signs it, name the authority's file in SBX_CA_FILE"
    )
