"""The HTTP side of a review: pages, clips by their names, and what is said."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from runner.errors import ReelrunError
from runner.review.clips.padded_clips import content_type, padded, padded_lengths
from runner.review.serving.served_files import ServedFiles
from runner.review.session import BEST, CULL, MODES, PAIRS, Document, Session
from runner.verdicts.verdict import LONGEST, VerdictError

# The page of all clips with their names, beside the modes.
SHEET = "sheet"
# So much of a body that is too long is read and thrown away, so that its sender sees the answer.
_DRAINED = 16 * 1024 * 1024
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class ReviewApp:
    """The pages of a session. `page` makes the page of a mode, and the sheet, whose files are among `files`."""

    def __init__(self, session: Session, page: Callable[[str], str], mode: str, files: ServedFiles) -> None:
        self._session = session
        self._files = files
        self._page = page
        self._mode = mode
        self._lengths = padded_lengths(session.names.clips.values())
        self._shown = {PAIRS: session.pairs, BEST: session.best, CULL: session.cull}

    def build(self) -> Starlette:
        routes = [
            Route("/", self._open),
            Route("/clips/{name}", self._clip),
            Route("/files/{name}", self._file),
            Route("/shown/{mode}", self._show),
            Route("/said", self._say, methods=["POST"]),
            Route("/undone/{mode}", self._undo, methods=["POST"]),
        ]
        handlers = {ReelrunError: _failed, VerdictError: _no_verdict, HTTPException: _refused, Exception: _broken}
        app = Starlette(routes=routes, exception_handlers=handlers)  # type: ignore[arg-type]
        app.router.redirect_slashes = False
        return app

    def _open(self, request: Request) -> Response:
        name = request.query_params.get("mode", self._mode)
        return HTMLResponse(self._page(name if name == SHEET else _mode(name)))

    def _file(self, request: Request) -> Response:
        path = self._files.path(request.path_params["name"])
        if path is None:
            raise HTTPException(404, "there is no such file")
        return FileResponse(path, media_type=content_type(path))

    def _show(self, request: Request) -> Response:
        return JSONResponse(self._shown[_mode(request.path_params["mode"])]())

    async def _say(self, request: Request) -> Response:
        document = _object(await _body(request))
        return JSONResponse(await run_in_threadpool(self._session.say, document))

    async def _undo(self, request: Request) -> Response:
        await _body(request)
        return JSONResponse(await run_in_threadpool(self._session.undo, _mode(request.path_params["mode"])))

    def _clip(self, request: Request) -> Response:
        """A clip, or a part of it. Nothing that is told of it differs from clip to clip of an image but its kind."""
        clip = self._session.clip(request.path_params["name"])
        if clip is None:
            raise HTTPException(404, "there is no such clip")
        length = self._lengths[clip.image]
        part = _part(request.headers.get("range", ""), length)
        start, end = part or (0, length)
        headers = {"accept-ranges": "bytes", "content-length": str(end - start)}
        if part:
            headers["content-range"] = f"bytes {start}-{end - 1}/{length}"
        pieces = padded(clip.path, length, start, end)
        return StreamingResponse(pieces, 206 if part else 200, headers, content_type(clip.path))


def _mode(name: str) -> str:
    if name not in MODES:
        raise HTTPException(404, "there is no such mode")
    return name


def _part(header: str, length: int) -> tuple[int, int] | None:
    """The first byte, and the one after the last, of a Range header with one range (RFC 9110, 14.1.2); else None."""
    found = _RANGE.fullmatch(header)
    first, last = found.groups() if found else ("", "")
    if not first:
        return (max(0, length - int(last)), length) if last else None
    start, end = int(first), min(int(last) + 1 if last else length, length)
    if start >= end:
        raise HTTPException(416, "there are no such bytes", {"content-range": f"bytes */{length}"})
    return start, end


async def _body(request: Request) -> bytes:
    """The whole body, which is no longer than a line of a verdict file. Raises HTTPException."""
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size < LONGEST:
            parts.append(part)
        elif size > _DRAINED:
            break
    if size >= LONGEST:
        raise HTTPException(413, "this is longer than 64 KiB", {"connection": "close"})
    return b"".join(parts)


def _object(body: bytes) -> Document:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise VerdictError("this is no JSON object")
    return found


def _failed(request: Request, error: ReelrunError) -> Response:
    """What was said is not on the disk: the page keeps it, and sends it again."""
    return PlainTextResponse(f"{error.message}. {error.hint}" if error.hint else error.message, 503)


def _no_verdict(request: Request, error: VerdictError) -> Response:
    return PlainTextResponse(f"not taken: {error}", 400)


def _refused(request: Request, error: HTTPException) -> Response:
    return PlainTextResponse(error.detail, error.status_code, error.headers)


def _broken(request: Request, error: Exception) -> Response:
    return PlainTextResponse("internal error of the review", 500)
