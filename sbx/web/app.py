"""The composition root: build the application from the environment."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from runtime.environment import Environment
from runtime.secrets import SecretKeyError
from sbx.actions.refused import ActionRefused
from sbx.web import error_handlers
from sbx.web.addresses import SoundAddress
from sbx.web.api.routes import ROUTES
from sbx.web.auth.cookies import HostCookies
from sbx.web.auth.gate import Gate
from sbx.web.auth.passwords import PasswordCheck
from sbx.web.database import new_pool, opened
from sbx.web.headers import SecurityHeaders
from sbx.web.hooks import ANY_METHOD, Hooks, hook
from sbx.web.hosts import ForwardedHost, KnownHosts
from sbx.web.live import Feed
from sbx.web.looks import Looks
from sbx.web.overload import BodyDeadline, Turns
from sbx.web.pages import (
    act,
    acts,
    connect,
    decide,
    drift,
    entry,
    guide,
    issues,
    log,
    overview,
    pause,
    profile,
    reconcile,
    record,
    replays,
    settings,
    setup,
    sign_in,
    source,
    views,
)
from sbx.web.problems import Problem
from sbx.web.services import Services
from sbx.web.view import assets
from sources.hints import MAX_BODY

_BODY_BYTES = 1_000_000

PAGES: tuple[BaseRoute, ...] = (
    Route("/", log.log_page),
    Route("/live", log.live),
    Route("/entries/{entry_id}", entry.entry_page),
    Route("/entries/{entry_id}/decide", decide.plan_page),
    Route("/entries/{entry_id}/decide", decide.perform, methods=["POST"]),
    Route("/overview", overview.overview_page),
    Route("/accounts/{account}/hold", pause.plan_page),
    Route("/accounts/{account}/hold", pause.perform, methods=["POST"]),
    Route("/accounts/{account}/drift", drift.drift_page),
    Route("/accounts/{account}/drift", drift.perform, methods=["POST"]),
    Route("/accounts/{account}/drift/plan", drift.plan_page),
    Route("/accounts/{account}/drift/reading", drift.read, methods=["POST"]),
    Route("/accounts/{account}/reconcile", reconcile.reconcile_page),
    Route("/accounts/{account}/reconcile", reconcile.compare, methods=["POST"]),
    Route("/accounts/{account}/reconcile.csv", reconcile.export),
    Route("/accounts/{account}/settings", settings.settings_page),
    Route("/accounts/{account}/settings", settings.change, methods=["POST"]),
    Route("/accounts/{account}/facts", settings.ask_anew, methods=["POST"]),
    Route("/connect", connect.connect_page),
    Route("/connect", connect.by_secret, methods=["POST"]),
    Route("/setup", setup.new_page),
    Route("/setup", setup.begin_new, methods=["POST"]),
    Route("/accounts/{account}/setup", setup.setup_page),
    Route("/accounts/{account}/setup/{step}", setup.perform, methods=["POST"]),
    Route("/accounts/{account}/source", source.source_page),
    Route("/accounts/{account}/source/hook", source.renew_hook, methods=["POST"]),
    Route("/connect/salesbinder", source.connect_page),
    Route("/connect/salesbinder", source.connect, methods=["POST"]),
    Route("/connect/browser", connect.ask, methods=["POST"]),
    Route("/connect/callback", connect.callback),
    Route("/records/{account}/{entity}/{record_id}", record.record_page),
    Route("/issues", issues.issues_page),
    Route("/issues/{issue_id}/mute", issues.mute, methods=["POST"]),
    Route("/issues/{issue_id}/unmute", issues.unmute, methods=["POST"]),
    Route("/replays", replays.replays_page),
    Route("/replays/{replay_id:int}", replays.replay_page),
    Route("/replays/{replay_id:int}/cancel", replays.cancel, methods=["POST"]),
    Route("/plan", act.plan_page),
    Route("/act", act.perform, methods=["POST"]),
    Route("/views", views.save, methods=["POST"]),
    Route("/views/delete", views.delete, methods=["POST"]),
    Route("/acts", acts.acts_page),
    Route("/acts/{number:int}", act.act_page),
    Route("/help", guide.help_page),
    Route("/you", profile.you_page),
    Route("/you/session", profile.end_session, methods=["POST"]),
    Route("/you/token", profile.revoke, methods=["POST"]),
    Route("/sign-out", sign_in.sign_out, methods=["POST"]),
)
"""The routes behind the gate. Each ``POST`` uses ``acting`` or ``acting_for_all``; a test checks that."""


def build(environment: Environment) -> Starlette:
    """Return the application. It starts and keeps running without a database, and says so."""
    database = new_pool(environment)
    services = Services(
        environment,
        database,
        Feed(),
        PasswordCheck(),
        Hooks(database),
        Looks(environment, database),
        new_pool(environment, beside=True),
        new_pool(environment, beside=True),
        Turns(),
    )

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with (
            opened(database),
            opened(services.exports),
            opened(services.streams),
            services.feed.listening(environment),
            services.hooks.noting(),
            services.looks.going_on(),
        ):
            yield

    app = Starlette(
        routes=_routes(services),
        middleware=[
            Middleware(ForwardedHost, trusted=environment.web_trusted_proxies),
            Middleware(ProxyHeadersMiddleware, trusted_hosts=[*environment.web_trusted_proxies]),
            Middleware(HostCookies),
            Middleware(SecurityHeaders),
            Middleware(KnownHosts, hosts=environment.web_hosts),
            Middleware(SoundAddress),
            Middleware(BodyDeadline),
        ],
        exception_handlers={
            Problem: error_handlers.on_problem,
            ActionRefused: error_handlers.on_refused,
            HTTPException: error_handlers.on_http,
            psycopg.Error: error_handlers.on_database,
            SecretKeyError: error_handlers.on_key,
            Exception: error_handlers.on_fault,
        },
        lifespan=lifespan,
    )
    app.state.services = services
    return app


def _routes(services: Services) -> list[BaseRoute]:
    gate = [Middleware(Gate, database=services.database, turns=services.turns)]
    return [
        Route("/healthz", _health),
        Mount("/static", StaticFiles(directory=assets.FOLDER)),
        Route("/sign-in", sign_in.sign_in_page),
        Route("/sign-in", sign_in.sign_in, methods=["POST"], max_body_size=_BODY_BYTES),
        Route("/sign-in/once", sign_in.link_page),
        Route("/sign-in/once", sign_in.sign_in_once, methods=["POST"], max_body_size=_BODY_BYTES),
        Route("/hooks/{token:path}", hook, methods=ANY_METHOD, max_body_size=MAX_BODY),
        Mount("/api/v1", routes=ROUTES, middleware=gate, max_body_size=_BODY_BYTES),
        Mount("/", routes=PAGES, middleware=gate, max_body_size=_BODY_BYTES),
    ]


async def _health(_request: Request) -> Response:
    """Report that the process works; pages report themselves if the database does not."""
    return PlainTextResponse("ok\n")
