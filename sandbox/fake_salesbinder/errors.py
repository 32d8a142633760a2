"""Refusals of the API, and their bodies, whose look is not known: a switch says it (reference §8)."""

from http import HTTPStatus

import msgspec

from .switches import Switches

_PHRASES = {status.value: status.phrase for status in HTTPStatus}


class ApiError(Exception):
    """A call that is refused with this status."""

    def __init__(self, status: int, text: str | None = None, headers: dict[str, str] | None = None) -> None:
        super().__init__(text or _PHRASES.get(status, "Connection timed out"))
        self.status = status
        self.headers = headers or {}


def body(status: int, text: str, path: str, switches: Switches) -> tuple[str, bytes]:
    """Return content type and body of a refusal."""
    if switches.error_body == "empty":
        return "application/json", b""
    if switches.error_body == "html":
        return "text/html; charset=UTF-8", page(status, text)
    if switches.error_body == "cake":
        return "application/json", msgspec.json.encode({"name": text, "message": text, "url": f"/{path}"})
    return "application/json", msgspec.json.encode({"message": text})


def page(status: int, text: str) -> bytes:
    """Return a page as a web server or a proxy in front of it sends it."""
    head = f"<head><title>{status} {text}</title></head>"
    return f"<!DOCTYPE html>\n<html>{head}<body><h1>{text}</h1></body></html>\n".encode()
