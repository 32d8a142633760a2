"""Pictures of the pages for the docs: ``python -m tests.web.screenshots [FOLDER]``."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from playwright.sync_api import Browser, sync_playwright

from sandbox import EmbeddedStack
from sbx.migrations import migrate
from tests.web import sample
from tests.web.browsers import PHONE, launch
from tests.web.drifted import drifted
from tests.web.office import Office, serving
from tests.web.undecided import undecided

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "screenshots"
MOST_BYTES = 150_000
_WIDE = {"width": 1240, "height": 740}
_LOOKS = (("", _WIDE, "light"), ("-dark", _WIDE, "dark"), ("-phone", PHONE, "light"))


@contextmanager
def _office() -> Iterator[Office]:
    # In /dev/shm or /tmp: the path of a socket must be short.
    with (
        tempfile.TemporaryDirectory(prefix="sbx") as directory,
        EmbeddedStack(Path(directory) / "p", kafka=False) as stack,
    ):
        migrate(stack.database_url)
        with (
            serving(stack.database_url, Path(directory)) as office,
            # What the page takes for a worker at work: its session.
            psycopg.connect(stack.database_url, application_name="sbx-deliver-holder"),
        ):
            yield office


def take(office: Office, browser: Browser, folder: Path) -> list[Path]:
    """A picture of each page, wide in light and dark, and narrow; what was written."""
    office.user("ann")
    entry_id = sample.fill(office)
    drifted(office, sample.ACCOUNTS[0])
    pages = {
        "overview": "/overview",
        "log": "/",
        "entry": f"/entries/{entry_id}",
        "document": f"/records/{sample.ACCOUNTS[0]}/invoice/{sample.STORY}",
        "decide": f"/entries/{undecided(office, sample.ACCOUNTS[0])}",
        "differences": f"/accounts/{sample.ACCOUNTS[0]}/drift",
        "issues": "/issues",
        "plan": "/plan?do=retry-all&state=failed",
        "connect": f"/connect?account={sample.ACCOUNTS[0]}",
        "you": "/you",
        "settings": f"/accounts/{sample.ACCOUNTS[0]}/settings",
    }
    # Those two made entries of this very moment: the day's own stand before them.
    earlier = "UPDATE integrations_log.entry SET queued_at = queued_at - interval '9 hours' "
    office.rows(earlier + "WHERE record_number LIKE '700_' RETURNING 1")
    session = office.client("ann").cookies
    cookies = [{"name": name, "value": value, "url": office.url} for name, value in session.items()]
    written = []
    for look, viewport, scheme in _LOOKS:
        context = browser.new_context(base_url=office.url, viewport=viewport, color_scheme=scheme)  # type: ignore[arg-type]
        context.add_cookies(cookies)  # type: ignore[arg-type]
        page = context.new_page()
        for name, path in pages.items():
            page.goto(path)
            page.wait_for_function("document.getAnimations().length === 0")
            target = folder / f"{name}{look}.png"
            page.screenshot(path=target)
            written.append(target)
        context.close()
    return written


def main() -> int:
    """Take them all; 1 when one of them is too large for the docs."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with _office() as office, sync_playwright() as playwright, launch(playwright) as browser:
        written = take(office, browser, folder)
    large = [path for path in written if path.stat().st_size > MOST_BYTES]
    for path in written:
        print(f"{path.stat().st_size:>7,}  {path}")
    return 1 if large else 0


if __name__ == "__main__":
    sys.exit(main())
