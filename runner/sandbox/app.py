"""The HTTP side: routes, bodies and errors."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request as Call
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.routing import Route

from runner.sandbox.answers import Answers, model_detail
from runner.sandbox.catalog import Catalog
from runner.sandbox.errors import RefusedError
from runner.sandbox.intake import Intake
from runner.sandbox.store import Request, Status, Store
from runner.sandbox.studio import Studio

PREFIXES = ("/api/v1/ie/requestqueue/apikey", "/api/v1/apikey")
_JSON = "application/json"
# So much of a body that is too large is read and thrown away, so that its sender gets to see the answer.
_DRAINED = 64 * 1024 * 1024
_MEDIA = re.compile(r"([0-9a-f-]{36})\.(mp4|jpg)")


@dataclass(frozen=True, slots=True)
class App:
    """The API over one store. `notify` tells the workers of a new request; `workers` is how many there are."""

    catalog: Catalog
    store: Store
    intake: Intake
    answers: Answers
    studio: Studio
    workers: int
    notify: Callable[[], None]

    def build(self) -> Starlette:
        routes = [Route("/media/{name}", self._media)]
        for prefix in PREFIXES:
            routes += [
                Route(f"{prefix}/requests", self._requests, methods=["GET", "POST"]),
                Route(f"{prefix}/requests/{{request_id}}", self._request),
                Route(f"{prefix}/models", self._models),
                Route(f"{prefix}/models/{{name}}", self._model),
            ]
        handlers = {RefusedError: _refused, HTTPException: _http_error, Exception: _broken}
        app = Starlette(routes=routes, exception_handlers=handlers)
        app.router.redirect_slashes = False
        return app

    async def _requests(self, call: Call) -> Response:
        if call.method == "POST":
            body = await _body(call, self.catalog.largest_body)
            return await run_in_threadpool(self._submit, body)
        return await run_in_threadpool(self._listing, call)

    def _submit(self, body: bytes) -> Response:
        request = self.intake.take(body)
        self.notify()
        return _answer(self.answers.submitted(request))

    def _listing(self, call: Call) -> Response:
        model = call.query_params.get("model_id")
        requests = self.store.all(model)
        if model is not None and not requests and model not in self.catalog.models:
            raise RefusedError(404, f"model_id: {model[:100]} is unknown")
        return StreamingResponse(self._listed(requests, _origin(call)), media_type=_JSON)

    def _listed(self, requests: Sequence[Request], origin: str) -> Iterator[str]:
        """The listing piece by piece, as it may hold hundreds of pictures."""
        yield '{"requests":['
        for index, request in enumerate(requests):
            yield f"{',' if index else ''}{json.dumps(self.answers.detail(request, origin))}"
        yield f'],"total":{len(requests)}}}'

    def _request(self, call: Call) -> Response:
        request = self.store.get(call.path_params["request_id"])
        if request is None:
            raise RefusedError(404, "request_id: is unknown")
        return _answer(self.answers.detail(request, _origin(call)))

    def _models(self, call: Call) -> Response:
        return _answer({"model_ids": [model.name for model in self.catalog]})

    def _model(self, call: Call) -> Response:
        model = self.catalog.models.get(call.path_params["name"])
        if model is None:
            raise RefusedError(404, "model: is unknown")
        return _answer(model_detail(model, self.workers))

    def _media(self, call: Call) -> Response:
        match = _MEDIA.fullmatch(call.path_params["name"])
        request = self.store.get(match[1]) if match else None
        if match is None or request is None or request.status is not Status.SUCCESS:
            raise RefusedError(404, "no such file")
        if match[2] == "mp4":
            path, digest, kind = self.studio.video(request.request_id), request.video_sha256, "video/mp4"
        else:
            path, digest, kind = self.studio.thumbnail(request.request_id), request.thumbnail_sha256, "image/jpeg"
        if not path.is_file():
            raise RefusedError(404, "no such file")
        return FileResponse(path, media_type=kind, headers={"etag": f'"{digest}"'})


async def _body(call: Call, limit: int) -> bytes:
    """The whole body. Raises RefusedError (413) when it is larger than `limit` bytes."""
    parts: list[bytes] = []
    size = 0
    async for part in call.stream():
        size += len(part)
        if size <= limit:
            parts.append(part)
        elif size > limit + _DRAINED:
            break
    if size > limit:
        raise RefusedError(413, f"the body is too large: at most {limit} bytes are allowed")
    return b"".join(parts)


def _origin(call: Call) -> str:
    """Where the asking client sees this server, by its Host header: the port may change from start to start."""
    return f"{call.url.scheme}://{call.url.netloc}"


def _answer(document: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    # ASCII alone: a prompt may hold half a surrogate pair, which JSON can escape and UTF-8 cannot carry.
    return Response(json.dumps(document), status, headers, _JSON)


def _refused(call: Call, error: Exception) -> Response:
    assert isinstance(error, RefusedError)
    return _answer({"error": error.message}, error.status)


def _http_error(call: Call, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _answer({"error": error.detail.lower()}, error.status_code, dict(error.headers or {}))


def _broken(call: Call, error: Exception) -> Response:
    return _answer({"error": "internal error of the sandbox"}, 500)
