"""The HTTP side: routes, bodies and errors."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request as Call
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.routing import Mount, Route, Router

from runner.sandbox import replies
from runner.sandbox.catalog import Catalog
from runner.sandbox.intake import Intake
from runner.sandbox.records import Records, Request, RequestStatus
from runner.sandbox.studio import Studio
from runner.sandbox.workers import Workers

PREFIXES = ("/api/v1/ie/requestqueue/apikey", "/api/v1/apikey")
_JSON = "application/json"
# Up to this many bytes beyond the limit are read and thrown away, so that the sender of a large body sees the answer.
_DRAINED = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class App:
    """The API over one queue."""

    catalog: Catalog
    records: Records
    intake: Intake
    studio: Studio
    workers: Workers

    def build(self) -> Starlette:
        routes = [
            Route("/requests", self._listing),
            Route("/requests", self._submit, methods=["POST"]),
            Route("/requests/{request_id}", self._request),
            Route("/models", self._models),
            Route("/models/{name}", self._model),
        ]
        api = Router(routes, redirect_slashes=False)
        media = [Route("/media/{request_id}.mp4", self._video), Route("/media/{request_id}.jpg", self._thumbnail)]
        app = Starlette(
            routes=[*(Mount(prefix, api) for prefix in PREFIXES), *media],
            exception_handlers={HTTPException: _refused, Exception: _broken},
        )
        app.router.redirect_slashes = False
        return app

    async def _submit(self, call: Call) -> Response:
        body = await _body(call, self.catalog.largest_body)
        request = await run_in_threadpool(self.intake.take, body)
        self.workers.notify()
        return _answer(replies.submitted(request))

    def _listing(self, call: Call) -> Response:
        model = call.query_params.get("model_id")
        requests = self.records.all(model)
        if model is not None and not requests and model not in self.catalog.models:
            raise HTTPException(404, f"model_id: {model[:100]} is unknown")
        return StreamingResponse(self._listed(requests, _origin(call)), media_type=_JSON)

    def _listed(self, requests: Sequence[Request], origin: str) -> Iterator[str]:
        """The listing in pieces, because it may hold hundreds of pictures."""
        yield '{"requests":['
        for index, request in enumerate(requests):
            yield f"{',' if index else ''}{json.dumps(replies.detail(request, self.studio.album, origin))}"
        yield f'],"total":{len(requests)}}}'

    def _request(self, call: Call) -> Response:
        return _answer(replies.detail(self._found(call), self.studio.album, _origin(call)))

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


def _broken(call: Call, error: Exception) -> Response:
    return _answer({"error": "internal error of the sandbox"}, 500)
