"""`models` and `requests`: show what the service answers."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from urllib.parse import quote

from runner.api.answers import Answer
from runner.api.client import Client, Reply
from runner.api.service import Service
from runner.cli import screen
from runner.errors import AccessError, Exit, ServiceError


def models(options: argparse.Namespace) -> int:
    """List the service's models, or tell about one."""
    path = f"/models/{quote(options.model, safe='')}" if options.model else "/models"
    document = asked(_client(options), path)
    if options.json or not isinstance(document, Mapping):
        screen.document(document)
    elif options.model:
        _show_model(document)
    else:
        names = document.get("model_ids")
        for name in names if isinstance(names, list) else []:
            screen.show(str(name))
    return Exit.DONE


def _show_model(document: Mapping[str, object]) -> None:
    for name, value in document.items():
        if isinstance(value, list):
            screen.show(f"{name}:")
            for each in value:
                screen.show(f"  {each}")
        elif value not in (None, "", {}):
            screen.show(f"{name}: {value}")


def requests(options: argparse.Namespace) -> int:
    """List the requests of a model that the service has."""
    document = asked(_client(options), f"/requests?model_id={quote(options.model, safe='')}")
    if options.json or not isinstance(document, Mapping):
        screen.document(document)
        return Exit.DONE
    found = document.get("requests")
    found = found if isinstance(found, list) else []
    for each in found:
        if isinstance(each, Mapping):
            payload = each.get("payload")
            prompt = str(payload.get("prompt", "")) if isinstance(payload, Mapping) else ""
            screen.show(f"{each.get('request_id')}  {each.get('status')!s:<10}  {' '.join(prompt.split())[:60]}")
    screen.say(screen.count(len(found), "request"))
    return Exit.DONE


def _client(options: argparse.Namespace) -> Client:
    service = Service.from_environment(os.environ, options.base_url)
    service.require_key()
    return Client(service)


def asked(client: Client, path: str) -> object:
    """GET the document at a path of the API. Raises AccessError and ServiceError."""
    reply = client.fetch_json(path)
    if isinstance(reply, Answer):
        raise ServiceError(
            f"{client.service.origin} gives no answer: {reply.message}", "reelrun doctor looks for the cause"
        )
    if reply.status in (401, 403):
        raise AccessError(f"the service refuses access: {reply.message}", "check GMI_API_KEY and GMI_ORG_ID")
    if reply.status != 200 or reply.document is None:
        raise ServiceError(f"the service answers {_words(reply)}", "check the name; reelrun models lists what there is")
    return reply.document


def _words(reply: Reply) -> str:
    return f"{reply.status}: {reply.message}" if str(reply.status) not in reply.message else reply.message
