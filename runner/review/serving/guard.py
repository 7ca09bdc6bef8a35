"""Who gets in: a browser on this machine that was given the address with the token, and its own page.

Other sites that the browser shows cannot: what they ask for has another origin, or another host (DNS rebinding), or
lacks the cookie. Every answer forbids to be stored, framed, guessed at or read by others.
"""

from __future__ import annotations

import secrets

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

TOKEN = "token"  # noqa: S105 - its name in the address
_SAFE = ("GET", "HEAD")
_OWN_SITES = (None, "same-origin", "none")
_HEADERS = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
_UNINVITED = "Open the whole address that 'reelrun review' printed: it has the token of this session."


class Guard:
    """Lets requests of the reviewer's own browser through to an app. `port` is the one that is listened on."""

    def __init__(self, app: ASGIApp, token: str, port: int) -> None:
        self._app = app
        self._token = token
        self._hosts = [f"{name}:{port}" for name in ("127.0.0.1", "localhost")]
        # Cookies know no ports: two sessions on one machine have two names.
        self._cookie = f"reelrun-review-{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope)
        with_token = self._has_token(request)
        refusal = self._refusal(request, with_token)

        async def sealed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_HEADERS)
                if with_token and refusal is None:
                    headers.append("set-cookie", f"{self._cookie}={self._token}; HttpOnly; SameSite=Strict; Path=/")
            await send(message)

        app = self._app if refusal is None else PlainTextResponse(refusal, 403)
        await app(scope, receive, sealed)

    def _refusal(self, request: Request, with_token: bool) -> str | None:
        """Why a request is not let in; None if it is."""
        headers = request.headers
        if headers.get("host") not in self._hosts:
            return "This host name is not that of this server."
        if not with_token and headers.get("sec-fetch-site") not in _OWN_SITES:
            return "Another site asked for this."
        if not (with_token or self._is_token(request.cookies.get(self._cookie))):
            return _UNINVITED
        return None if request.method in _SAFE or self._is_own(headers) else "Another site sent this."

    def _is_own(self, headers: Headers) -> bool:
        """Whether a page of ours sends this, by the origin that browsers tell."""
        is_json = headers.get("content-type", "").partition(";")[0].strip() == "application/json"
        return is_json and headers.get("origin") == f"http://{headers.get('host')}"

    def _has_token(self, request: Request) -> bool:
        """Whether this opens the page with the address that was printed."""
        is_opened = request.method in _SAFE and request.url.path == "/"
        return is_opened and self._is_token(request.query_params.get(TOKEN))

    def _is_token(self, value: str | None) -> bool:
        return value is not None and secrets.compare_digest(value.encode(), self._token.encode())
