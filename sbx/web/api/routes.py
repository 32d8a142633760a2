"""The API's addresses. ``openapi.py`` describes them; a test compares the two."""

from starlette.routing import BaseRoute, Route

from sbx.web.api import (
    accounts,
    actions,
    comparisons,
    decisions,
    drift,
    mutes,
    reading,
    sources,
    streams,
)
from sbx.web.api.openapi import openapi

ROUTES: tuple[BaseRoute, ...] = (
    Route("/entries", reading.entries),
    Route("/entries.csv", streams.as_csv),
    Route("/entries.jsonl", streams.as_json_lines),
    Route("/entries/count", reading.count),
    Route("/entries/{entry_id}", reading.entry),
    Route("/entries/{entry_id}/attempts", reading.attempts),
    Route("/entries/{entry_id}/steps", reading.steps),
    Route("/entries/{entry_id}/candidates", decisions.candidates),
    Route("/entries/{entry_id}/decision", decisions.decide, methods=["POST"]),
    Route("/issues", reading.issues),
    Route("/issues/{issue_id}/mute", mutes.mute, methods=["POST"]),
    Route("/issues/{issue_id}/unmute", mutes.unmute, methods=["POST"]),
    Route("/summary", reading.summary),
    Route("/replays", reading.replays),
    Route("/replays/{replay_id}", reading.replay),
    Route("/stream", streams.live),
    Route("/retry", actions.retry, methods=["POST"]),
    Route("/skip", actions.skip, methods=["POST"]),
    Route("/accounts/{account}/settings", accounts.show),
    Route("/accounts/{account}/settings", accounts.change, methods=["PUT"]),
    Route("/accounts/{account}/check", accounts.check),
    Route("/accounts/{account}/drift", drift.show),
    Route("/accounts/{account}/drift/reading", drift.compare, methods=["POST"]),
    Route("/accounts/{account}/drift/resend", drift.resend, methods=["POST"]),
    Route("/accounts/{account}/drift/adopt", drift.adopt, methods=["POST"]),
    Route("/accounts/{account}/reconcile", comparisons.show),
    Route("/accounts/{account}/reconcile.csv", comparisons.export),
    Route("/accounts/{account}/reconcile/differences", comparisons.differences),
    Route("/accounts/{account}/source", sources.show),
    Route("/sources", sources.every),
    Route("/openapi.json", openapi),
)
