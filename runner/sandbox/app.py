"""The HTTP side: routes, bodies and errors."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request as Call
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.routing import Mount, Route, Router
from starlette.types import Receive, Scope, Send

from runner.sandbox import replies
from runner.sandbox.behaviours import Document, Ways
from runner.sandbox.catalog import Catalog
from runner.sandbox.constraints import parsed
from runner.sandbox.intake import Intake
from runner.sandbox.records import Records, Request, RequestStatus
from runner.sandbox.studio import Studio
from runner.sandbox.upload_store import CONTENT_TYPES, LinkError, UploadStore
from runner.sandbox.workers import Workers

PREFIXES = ("/api/v1/ie/requestqueue/apikey", "/api/v1/apikey")
_JSON = "application/json"
# Up to this many bytes beyond the limit are read and thrown away, so that the sender of a large body sees the answer.
_DRAINED = 64 * 1024 * 1024
_SMALL = 64 * 1024
_LARGEST_UPLOAD = 256 * 1024 * 1024
# Seconds between two looks at a request whose POST is held until it is final.
_GLANCE = 0.02
_FINAL = (RequestStatus.SUCCESS, RequestStatus.FAILED)


@dataclass(frozen=True, slots=True)
class App:
    """The API over one queue."""

    catalog: Catalog
    records: Records
    intake: Intake
    studio: Studio
    workers: Workers
    ways: Ways
    uploads: UploadStore

    def build(self) -> Starlette:
        routes = [
            Route("/requests", self._listing),
            Route("/requests", self._submit, methods=["POST"]),
            Route("/requests/{request_id}", self._request),
            Route("/models", self._models),
            Route("/models/{name:path}", self._model),
            Route("/upload-url", self._upload_link, methods=["POST"]),
        ]
        api = Router(routes, redirect_slashes=False)
        media = [
            Route("/media/{request_id}.mp4", self._video),
            Route("/media/{request_id}.jpg", self._thumbnail),
            Route("/uploads/{name}", self._upload, methods=["PUT"]),
            Route("/uploads/{name}", self._uploaded),
        ]
        app = Starlette(
            routes=[*(Mount(prefix, api) for prefix in PREFIXES), *media],
            exception_handlers={HTTPException: _refused, LinkError: _not_taken, Exception: _broken},
        )
        app.router.redirect_slashes = False
        return app

    async def _submit(self, call: Call) -> Response:
        body = await _body(call, self.catalog.largest_body)
        request = await run_in_threadpool(self.intake.take, body)
        self.workers.notify()
        return await self._submitted(request, _origin(call))

    async def _submitted(self, request: Request, origin: str) -> Response:
        """The answer to the POST of a request that is in the queue."""
        mishap = self.ways.mishap(request.number)
        if mishap.is_lost:
            return _Lost()
        if mishap.status != 200:
            await self._ended(request)
            raise HTTPException(mishap.status, mishap.error)
        if self.ways.is_sync or self.catalog.model(request.model).is_sync:
            request = await self._ended(request)
            if request.status is RequestStatus.FAILED:
                return _answer({"error": request.error, "request_id": request.request_id}, 400)
            return _answer(self._detail(request, origin))
        return _answer(self.ways.shown(replies.submitted(request), request))

    async def _ended(self, request: Request) -> Request:
        while (found := self.records.get(request.request_id) or request).status not in _FINAL:
            await asyncio.sleep(_GLANCE)
        return found

    def _detail(self, request: Request, origin: str) -> Document:
        return self.ways.shown(
            replies.detail(request, self.catalog.model(request.model), self.studio.album, origin), request
        )

    def _listing(self, call: Call) -> Response:
        model = call.query_params.get("model_id")
        requests = self.records.all(model)
        if model is not None and not requests and model not in self.catalog.models:
            raise HTTPException(404, f"model_id: {model[:100]} is unknown")
        visible = [each for each in requests if not self.ways.lag or each.created_at + self.ways.lag <= time.time()]
        return StreamingResponse(self._listed(visible, _page(call, self.ways), _origin(call)), media_type=_JSON)

    def _listed(self, requests: list[Request], page: slice, origin: str) -> Iterator[str]:
        """A page of the listing in pieces, because it may hold hundreds of pictures."""
        yield '{"requests":['
        for index, request in enumerate(requests[page]):
            yield f"{',' if index else ''}{json.dumps(self._detail(request, origin))}"
        total = len(requests)
        tail = {"total": total} if self.ways.tells_total else {"has_more": page.stop is not None and page.stop < total}
        yield f"],{json.dumps(tail)[1:]}"

    def _request(self, call: Call) -> Response:
        return _answer(self._detail(self._found(call), _origin(call)))

    def _found(self, call: Call) -> Request:
        request = self.records.get(call.path_params["request_id"])
        if request is None:
            raise HTTPException(404, "request_id: is unknown")
        return request

    def _models(self, call: Call) -> Response:
        return _answer({"model_ids": list(self.catalog.models)})

    def _model(self, call: Call) -> Response:
        model = self.catalog.models.get(call.path_params["name"])
        if model is None:
            raise HTTPException(404, "model: is unknown")
        return _answer(replies.model_detail(model, self.workers.count))

    def _video(self, call: Call) -> Response:
        request = self._found(call)
        return _file(request, self.studio.video(request.request_id), "video/mp4", request.video_sha256)

    def _thumbnail(self, call: Call) -> Response:
        request = self._found(call)
        return _file(request, self.studio.thumbnail(request.request_id), "image/jpeg", request.thumbnail_sha256)

    async def _upload_link(self, call: Call) -> Response:
        document = parsed(await _body(call, _SMALL))
        file_type = document.get("file_type") if isinstance(document, dict) else None
        return _answer(self.uploads.link(file_type, _origin(call)))

    async def _upload(self, call: Call) -> Response:
        """Whoever has the link may put a file there. It is no call of the API: a key must not come here."""
        if "authorization" in call.headers:
            raise LinkError(400, "InvalidArgument", "a link is signed, and takes no Authorization")
        name, asked = call.path_params["name"], call.query_params
        content_type = call.headers.get("content-type", "")
        self.uploads.check(name, asked.get("expires", ""), asked.get("signature", ""), content_type)
        await run_in_threadpool(self.uploads.put, name, await _body(call, _LARGEST_UPLOAD))
        return Response()

    def _uploaded(self, call: Call) -> Response:
        name = call.path_params["name"]
        digest = self.records.upload(name)
        if digest is None or not self.studio.album.path(digest).is_file():
            raise HTTPException(404, "no such file")
        kind = CONTENT_TYPES[name.rpartition(".")[2]]
        return FileResponse(self.studio.album.path(digest), media_type=kind, headers={"etag": f'"{digest}"'})


async def _body(call: Call, limit: int) -> bytes:
    """The whole body. Raises HTTPException (413) when it is larger than `limit` bytes."""
    parts: list[bytes] = []
    size = 0
    async for part in call.stream():
        size += len(part)
        if size <= limit:
            parts.append(part)
        elif size > limit + _DRAINED:
            break
    if size > limit:
        raise HTTPException(413, f"the body is too large: at most {limit} bytes are allowed")
    return b"".join(parts)


def _page(call: Call, ways: Ways) -> slice:
    """The part of the listing that is asked for. Raises HTTPException (400)."""
    first, limit = (_count(call, name) for name in ("offset", "limit"))
    most = min((each for each in (limit, ways.most_listed) if each is not None), default=None)
    return slice(first, None if most is None else (first or 0) + most)


def _count(call: Call, name: str) -> int | None:
    text = call.query_params.get(name)
    if text is not None and not (text.isascii() and text.isdigit() and len(text) < 10):
        raise HTTPException(400, f"{name}: must be a whole number")
    return None if text is None else int(text)


class _Lost(Response):
    """An answer that breaks off before its body: the server closes the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"100")]})


def _origin(call: Call) -> str:
    """The address of this server as the client sees it, by its Host header: the port may differ at each start."""
    return f"{call.url.scheme}://{call.url.netloc}"


def _file(request: Request, path: Path, kind: str, digest: str) -> Response:
    if request.status is not RequestStatus.SUCCESS or not path.is_file():
        raise HTTPException(404, "no such file")
    return FileResponse(path, media_type=kind, headers={"etag": f'"{digest}"'})


def _answer(document: object, status: int = 200) -> Response:
    # Only ASCII: a prompt may hold a lone surrogate, which JSON can escape but UTF-8 cannot encode.
    return Response(json.dumps(document), status, media_type=_JSON)


def _refused(call: Call, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _answer({"error": error.detail}, error.status_code)


def _not_taken(call: Call, error: Exception) -> Response:
    assert isinstance(error, LinkError)
    document = (
        f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{error.code}</Code><Message>{error}</Message></Error>"
    )
    return Response(document, error.status, media_type="application/xml")


def _broken(call: Call, error: Exception) -> Response:
    return _answer({"error": "internal error of the sandbox"}, 500)
