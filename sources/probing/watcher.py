"""Watch one document: read its detail again and again, and note what moves, until it is cancelled."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from contracts.events.types import CONTEXTS
from sources.hints import ids_in
from sources.probing import watch
from sources.probing.questions import Finding
from sources.probing.shapes import Ask, form_of
from sources.problems import Unreadable
from sources.salesbinder.answers import read_detail, read_list
from sources.salesbinder.deleted import LIST_NAMES
from sources.salesbinder.values import code, text
from sources.schedule.questions import Question

PAUSE: Final = 3.0
"""Seconds between two looks, so that the reader has most of the account's calls."""
_LOOKS: Final = 40
"""Looks without a row of the deletion log after which a document that is not there was archived."""
_ARCHIVING: Final = "archiving and bringing back"
_DOCUMENTS: Final = ("documents", "document")


class NotFound(Exception):
    """No document has this number or id."""


@dataclass(slots=True)
class _Gone:
    """Since when the detail is not there."""

    began: datetime | None
    looks: int = 0
    is_over: bool = False
    """Whether it is known what happened to the document."""
    in_log: bool = False


class Watcher:
    """Watches a document."""

    def __init__(self, ask: Ask, found: list[Finding], tell: Callable[[str], None]) -> None:
        """Take where to put what is found, and whom to tell of it at once."""
        self._ask, self._found, self._tell = ask, found, tell
        self._before: Mapping[str, Any] | None = None
        self._gone: _Gone | None = None
        self._said = ""

    async def watch(self, number: str) -> None:
        """Watch the document with this id, or the invoice, else the order, with this number.

        Raises:
            NotFound: there is none.
            NoAnswer: SalesBinder does not answer.
        """
        is_id = ids_in(number.encode()) == (number.lower(),)
        record_id = number.lower() if is_id else await self._id_of(number)
        while True:
            await self.look(record_id)
            await asyncio.sleep(PAUSE)

    async def _id_of(self, number: str) -> str:
        for context in (CONTEXTS["invoice"], CONTEXTS["purchase_order"]):
            if (row := await self._row(context, number)) is not None:
                return str(text(row.get("id")))
        raise NotFound(number)

    async def _row(self, context: int, number: str) -> Mapping[str, Any] | None:
        """Return the row of the list that has the number."""
        asked = {"contextId": str(context), "page": "1", "pageLimit": "50"}
        answer = await self._ask(
            Question("documents.json", {**asked, "documentNumber": number, "exact": "true"})
        )
        try:
            rows = read_list(answer.body, _DOCUMENTS).rows if answer.verdict == "answered" else []
        except Unreadable:
            return None
        found = (row for row in rows if isinstance(row, Mapping))
        return next((row for row in found if code(row.get("document_number")) == number), None)

    async def look(self, record_id: str) -> None:
        """Look at it once.

        Raises:
            NotFound: it is not there, and was not before.
        """
        answer = await self._ask(Question(f"documents/{record_id}.json", {}))
        if answer.verdict == "not_there":
            if self._before is None:
                raise NotFound(record_id)
            await self._not_there(record_id, answer.date)
            return
        try:
            if answer.verdict != "answered":
                raise Unreadable("answer", answer.status, "it is of no use", "")
            record = read_detail(answer.body, "document")
        except Unreadable:
            self._once(f"answered {answer.status}, {form_of(answer.body)}")
            return
        await self._shown(record)

    async def _shown(self, record: Mapping[str, Any]) -> None:
        before, self._before = self._before, record
        if before is None:
            self._tell(
                "watching: act on it in SalesBinder now, one thing at a time, with some seconds between"
            )
            return
        move = watch.between(before, record)
        if self._gone is not None:
            if self._gone.in_log:
                self._note("the log after archiving", "a row, though it came back", 6, "in the deletion log")
            self._gone = None
            said = "modified did not move" if move is None else f"modified {move.modified}"
            self._note("back after it was not there", said, 1, _ARCHIVING)
        if move is None:
            return
        self._tell(move.text)
        self._found += watch.findings(move)
        if "archived changed" in move.fields:
            self._note("modified after archiving", f"modified {move.modified}", 1, _ARCHIVING)
            self._note("a detail after archiving", "it is shown, with another archived", 6, "their details")
            await self._in_list(record)

    async def _not_there(self, record_id: str, at: datetime | None) -> None:
        if self._gone is None:
            self._gone = _Gone(at)
            self._tell("its detail is not there any more: archived or deleted; looking for it in the log")
        if self._gone.is_over:
            return
        self._gone.looks += 1
        answer = await self._ask(Question("deleted_log.json", {"page": "1", "pageLimit": "50"}))
        try:
            rows = read_list(answer.body, LIST_NAMES).rows if answer.verdict == "answered" else []
        except Unreadable:
            rows = []
        for row in rows:
            if isinstance(row, Mapping) and str(text(row.get("record_id"))).lower() == record_id:
                self._deleted(str(row.get("context_id")), answer.date)
                return
        if self._gone.looks >= _LOOKS:
            self._gone.is_over = True
            self._note("the log after archiving", f"no row within {_LOOKS} looks", 6, "in the deletion log")
            self._note("a detail after archiving", "answered 404", 6, "their details")
            await self._in_list(self._before or {})

    def _deleted(self, context: str, at: datetime | None) -> None:
        assert self._gone is not None
        self._gone.is_over = self._gone.in_log = True
        began = self._gone.began
        took = "some time" if began is None or at is None else f"{(at - began).total_seconds():.0f} s"
        is_invoice = str((self._before or {}).get("context_id")) == str(CONTEXTS["invoice"])
        part = "the context of a deleted invoice" if is_invoice else ""
        self._note("the log after its detail was gone", f"a row with context {context}", 4, part)
        self._note("the row of the log came", f"after {took}", 4, "seconds until it shows a deletion")

    async def _in_list(self, record: Mapping[str, Any]) -> None:
        number, context = code(record.get("document_number")), str(record.get("context_id"))
        if number is None or not context.isdigit():
            return
        row = await self._row(int(context), number)
        said = "it is not there" if row is None else "it is there"
        self._note("its list after archiving", said, 6, "in lists")

    def _note(self, question: str, answer: str, number: int, part: str) -> None:
        self._found.append(Finding(question, answer, number, part, "watch"))
        self._tell(f"{question}: {answer}")

    def _once(self, said: str) -> None:
        if said != self._said:
            self._tell(said)
        self._said = said
