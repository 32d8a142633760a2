"""The tests' own small SalesBinder: the shop behind lists, details and the deleted log."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from sources.schedule.questions import Question
from tests.unit.sources.shop import Paper, Shop

STATUS_IDS = {"unpaid": "9", "partially paid": "10", "cancelled": "15"}


@dataclass(frozen=True)
class Habits:
    """How lists answer."""

    since_is_inclusive: bool = False
    rows_have_lines: bool = True
    page_limit: int = 3
    """Rows of a page, whatever is asked for: small, so that rows move between pages."""
    nested: bool = True


class Stub:
    def __init__(self, shop: Shop, habits: Habits, seed: int) -> None:
        self.shop, self.habits, self.random = shop, habits, random.Random(seed)
        self.asked: list[Question] = []
        self.between: Callable[[], None] = lambda: None
        """What happens in the shop after each answer."""

    def answer(self, question: Question) -> tuple[int, bytes]:
        self.asked.append(question)
        status, body = self._answer(question)
        self.between()
        return status, json.dumps(body).encode()

    def _answer(self, question: Question) -> tuple[int, Any]:
        asked = question.parameters
        if question.path == "customers.json":
            rows = [self.shop.customer] if asked["contextId"] == "2" else []
            return self._page(rows, "customers", question)
        if question.path == "deleted_log.json":
            rows = [
                {"id": n, "context_id": 4, "record_id": record_id, "created": moment.isoformat()}
                for n, (record_id, moment) in enumerate(self.shop.deleted.items(), 1)
            ]
            return self._page(rows[::-1], "deletedlog", question)
        if question.path == "documents.json":
            papers = [p for p in self.shop.papers.values() if p.is_order == (asked["contextId"] == "11")]
            rows = [self._row(paper) for paper in sorted(papers, key=lambda p: -p.number)]
            if asked.get("field") == "status_id":
                rows = [row for row in rows if row["status"]["id"] == asked["s"]]
            return self._page(rows, "documents", question)
        found = self.shop.papers.get(question.path.removeprefix("documents/").removesuffix(".json"))
        if found is None:
            return 404, {"message": "Not Found"}
        return 200, {"document": self._with_status(self.shop.detail(found))}

    def _row(self, paper: Paper) -> dict[str, Any]:
        row = self._with_status(self.shop.detail(paper))
        del row["transactions"]
        if not self.habits.rows_have_lines:
            row["document_items"] = row["document_items"][:1]
        return row

    def _with_status(self, record: dict[str, Any]) -> dict[str, Any]:
        name = record["status"]["name"]
        own_id = STATUS_IDS.get(name) or str(uuid5(NAMESPACE_URL, name).int % 90 + 100)
        return {**record, "status": {"id": own_id, "name": name}}

    def _page(self, rows: list[dict[str, Any]], name: str, question: Question) -> tuple[int, Any]:
        asked = question.parameters
        since = asked.get("modifiedSince") or asked.get("deletedSince")
        if since is not None:
            stamp = "created" if name == "deletedlog" else "modified"
            rows = [row for row in rows if self._is_newer(row[stamp], int(since))]
        size, page = self.habits.page_limit, int(asked["page"])
        pages = -(-len(rows) // size)
        if page > max(pages, 1):
            return 404, {"message": "Not Found"}
        shown = rows[size * (page - 1) : size * page]
        listed: Any = [shown] if self.habits.nested else shown
        return 200, {"count": str(len(rows)), "page": str(page), "pages": str(pages), name: listed}

    def _is_newer(self, stamp: str, since: int) -> bool:
        moment = int(datetime.fromisoformat(stamp).timestamp())
        return moment >= since if self.habits.since_is_inclusive else moment > since
