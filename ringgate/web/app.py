"""The server's paths. None but two changes anything, and none of the others waits for the store.

| path                | answers                                                                           |
|---------------------|-----------------------------------------------------------------------------------|
| `/`                 | the dashboard; `/parts` is its content, which the page asks for again and again    |
|                     | `?q=&ring=&cohort=&region=&state=&page=`: which tenants its table shows            |
| `/metrics`          | Prometheus, or OpenMetrics with exemplars for who accepts it                       |
| `/api/v1/verdict`   | GET, POST: always 200, the verdict in the body                                     |
| `/flagger/gate`     | 200 only if the rollout may go on, else 409                                        |
| `/flagger/rollback` | 200 only if it must be rolled back, else 409                                       |
| `/api/v1/deployments` | POST with a token: notes that a release reached a ring                           |
| `/api/v1/events`    | POST with a token: notes an incident, a support ticket, a configuration change     |
| `/releases`, `/releases/NAME` | every release that the evidence knows; the page of one                  |
| `/healthz`, `/readyz` | 200, or 503; without a token                                                     |

The three in the middle take `?ring=R&release=X`; without a release the one is meant that was deployed there last.
Flagger's hooks are POST with `metadata`: `ring` and `release` may stand there as well.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from ringgate.domain.errors import RinggateError
from ringgate.host.secrets import redact
from ringgate.metrics import HORIZON, StoreCollector, exposition
from ringgate.metrics.families import Horizons
from ringgate.report.page import render
from ringgate.web import dashboard
from ringgate.web.access import LOCAL, TokenRequired
from ringgate.web.board import LiveState
from ringgate.web.deployments import DeploymentNotes
from ringgate.web.events import EventNotes
from ringgate.web.filters import TenantFilter
from ringgate.web.judging import GateJudgement
from ringgate.web.releases import ReleasePages

LARGEST = 65_536
"""Bytes of a body that is read at all."""

SHARED = timedelta(seconds=1)
PAGES = 20
"""Pages that are kept for so long, at most."""

_NEVER_KEPT = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


class Server:
    """Answers from a board."""

    def __init__(
        self,
        board: LiveState,
        collector: StoreCollector,
        horizons: Horizons = lambda now: None,
        horizon: timedelta = HORIZON,
        releases: ReleasePages | None = None,
        deployments: DeploymentNotes | None = None,
        events: EventNotes | None = None,
    ) -> None:
        """Without `deployments` and `events` nothing of these can be noted."""
        self._notes = {"/api/v1/deployments": deployments, "/api/v1/events": events}
        self._releases = releases
        self.board, self._collector = board, collector
        self._horizons, self._horizon = horizons, horizon
        self._guard = threading.Lock()
        self._pages: dict[tuple[str, TenantFilter], tuple[datetime, str]] = {}

    def app(self, token: str = "") -> Starlette:
        """The application. Without a token it answers only to names of this machine."""
        guard = (
            Middleware(TokenRequired, token=token)
            if token
            else Middleware(TrustedHostMiddleware, allowed_hosts=list(LOCAL), www_redirect=False)
        )
        both = ["GET", "POST"]
        return Starlette(
            routes=[
                Route("/", self.page),
                Route("/parts", self.parts),
                Route("/releases", self.releases),
                Route("/releases/{name}", self.release),
                Route("/metrics", self.metrics),
                Route("/api/v1/verdict", self.verdict, methods=both),
                *(Route(path, self.noted if token else self.needs_token, methods=["POST"]) for path in self._notes),
                Route("/flagger/gate", self.may_go_on, methods=both),
                Route("/flagger/rollback", self.must_roll_back, methods=both),
                Route("/healthz", self.healthz),
                Route("/readyz", self.readyz),
            ],
            middleware=[guard],
        )

    async def page(self, request: Request) -> Response:
        return await self._page("dashboard.html.j2", request)

    async def parts(self, request: Request) -> Response:
        return await self._page("dashboard_parts.html.j2", request)

    async def _page(self, template: str, request: Request) -> Response:
        wanted = TenantFilter.of_query(request.query_params)
        return HTMLResponse(await run_in_threadpool(self._made, template, wanted), headers=_NEVER_KEPT)

    def _made(self, template: str, wanted: TenantFilter) -> str:
        """The page of now; all who look at the same of it within a second get the same."""
        with self._guard:
            now = self.board.clock()
            at, page = self._pages.get((template, wanted), (now, ""))
            if not page or not timedelta() <= now - at < SHARED:
                found = dashboard.context(self.board, self._horizons, self._horizon, wanted)
                page = render(template, found, "dashboard.js")
                if len(self._pages) >= PAGES:
                    self._pages.clear()
                self._pages[template, wanted] = now, page
            return page

    async def releases(self, request: Request) -> Response:
        return await run_in_threadpool(self._release_page, "")

    async def release(self, request: Request) -> Response:
        return await run_in_threadpool(self._release_page, str(request.path_params["name"])[:128])

    def _release_page(self, name: str) -> Response:
        if self._releases is None:
            return _word(False, "", "this server shows no releases")
        try:
            if not name:
                found: dict[str, Any] | None = {"releases": self._releases.index(self.board.clock())}
            else:
                found = self._releases.page(name, self.board.clock())
        except RinggateError as error:
            return _word(False, "", redact(str(error)))
        if found is None:
            return PlainTextResponse("no evidence knows this release\n", 404, headers=_NEVER_KEPT)
        template = "release.html.j2" if name else "releases.html.j2"
        return HTMLResponse(render(template, found), headers=_NEVER_KEPT)

    async def metrics(self, request: Request) -> Response:
        accept = request.headers.get("accept", "")
        text, content_type = await run_in_threadpool(exposition, self._collector, accept)
        return Response(text, headers={"Content-Type": content_type, **_NEVER_KEPT})

    async def verdict(self, request: Request) -> Response:
        judgement = await self._judgement(request)
        return JSONResponse(judgement.as_plain(self.board.clock()), headers=_NEVER_KEPT)

    async def may_go_on(self, request: Request) -> Response:
        judgement = await self._judgement(request)
        return self._hook(judgement, judgement.verdict == "pass" and judgement.action == "promote")

    async def must_roll_back(self, request: Request) -> Response:
        judgement = await self._judgement(request)
        return self._hook(judgement, judgement.verdict == "fail" and judgement.action == "roll back")

    def _hook(self, judgement: GateJudgement, yes: bool) -> Response:
        body = judgement.as_plain(self.board.clock())
        return JSONResponse(body, 200 if yes else 409, headers=_NEVER_KEPT)

    async def noted(self, request: Request) -> Response:
        """JSON alone is read: what a page in somebody's browser may send without asking is not."""
        notes = self._notes[request.url.path]
        if notes is None:
            return _refusal(404, "this server notes nothing of the kind")
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return _refusal(415, "the body must be application/json")
        said, key = await _body(request), request.headers.get("idempotency-key", "").strip()
        try:
            code, body = await run_in_threadpool(notes.note, said, key, self.board.clock())
        except (RinggateError, OSError) as error:
            return _refusal(503, redact(str(error)))
        return JSONResponse(body, code, headers=_NEVER_KEPT)

    async def needs_token(self, _request: Request) -> Response:
        return _refusal(403, "noting anything needs a server with a token: --token-env or --token-file")

    async def healthz(self, _request: Request) -> Response:
        return _word(self.board.alive, "ok", "a thread of this server has ended")

    async def readyz(self, _request: Request) -> Response:
        return _word(not self.board.store_error(), "ready", "the store of results cannot be read")

    async def _judgement(self, request: Request) -> GateJudgement:
        said = await _parameters(request)
        return await run_in_threadpool(self.board.verdict, said.get("ring", ""), said.get("release", ""))


def _refusal(code: int, rule: str) -> Response:
    return JSONResponse({"errors": [{"key": "", "rule": rule}]}, code, headers=_NEVER_KEPT)


def _word(well: bool, word: str, otherwise: str) -> Response:
    return PlainTextResponse(f"{word if well else otherwise}\n", 200 if well else 503, headers=_NEVER_KEPT)


async def _parameters(request: Request) -> dict[str, str]:
    """`ring` and `release` of the query, else of the body or its `metadata`. A body that is none is passed over."""
    found: dict[str, str] = {}
    body = await _body(request)
    metadata = body.get("metadata")
    for source in (metadata if isinstance(metadata, dict) else {}, body, request.query_params):
        for name in ("ring", "release"):
            value = source.get(name)
            if isinstance(value, str) and value.strip():
                found[name] = value.strip()
    return found


async def _body(request: Request) -> Mapping[str, Any]:
    read = b""
    async for piece in request.stream():
        read += piece
        if len(read) > LARGEST:
            return {}
    try:
        body = json.loads(read) if read else {}
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
