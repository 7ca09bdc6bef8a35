"""`models` and `requests`: show what the service answers."""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from urllib.parse import quote

from runner.api.answer_classes import AnswerClass
from runner.api.answers import Answer, Remote
from runner.api.client import Client, Reply
from runner.api.models.model_records import record_of
from runner.cli import screen
from runner.cli.model_table import show_catalogue
from runner.cli.options import service_of
from runner.diagnostics.words import command
from runner.engine.reconcile import Likeness, likeness
from runner.errors import AccessError, Exit, ServiceError, UsageError
from runner.manifest.reader import load
from runner.media import texts_replaced
from runner.secret import without_signatures
from runner.state.store import Store
from runner.state.travelling.bucket_states import housed


def models(options: argparse.Namespace) -> int:
    """List the service's models, or tell about one; with --shipped those whose schemas are here, without a call."""
    if options.shipped:
        return show_catalogue(options)
    if options.takes is not None or options.seconds is not None:
        raise UsageError("--takes and --seconds narrow what --shipped lists", "add --shipped")
    if options.schema:
        return _draft_schema(options)
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


def _draft_schema(options: argparse.Namespace) -> int:
    """Draft the schema file of a model. Raises UsageError, AccessError and ServiceError."""
    from runner.api.models.schema_drafts import draft

    if options.model is None:
        raise UsageError("--schema drafts the file of one model", "name it: reelrun models MODEL --schema")
    client = _client(options)
    path = f"/models/{quote(options.model, safe='')}"
    found = asked(client, path)
    record = record_of(found if isinstance(found, dict) else {}, options.model)
    if not record.parameters:
        raise ServiceError(f"the service tells no parameters of {options.model}", "write the file from its page")
    screen.document(draft(record, f"{client.service.origin}{path}", date.today().isoformat()))
    screen.say(
        "A draft: hold it to the model's page, above all lengths of texts, rules of pictures and conditions.",
        f"Then name it in the manifest: models: {{{options.model}: schemas/{options.model}.schema.json}}",
    )
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
    if options.unclaimed is not None:
        return _show_unclaimed(options)
    document = _without_signatures(asked(_client(options), f"/requests?model_id={quote(options.model, safe='')}"))
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


def _without_signatures(document: object) -> object:
    """The answer to a list. What was sent may have signed addresses in it, which are secrets; links to clips stay."""
    if not isinstance(document, Mapping) or not isinstance(document.get("requests"), list):
        return document
    listed = [
        {**each, "payload": texts_replaced(each["payload"], without_signatures)}
        if isinstance(each, Mapping) and "payload" in each
        else each
        for each in document["requests"]
    ]
    return {**document, "requests": listed}


def _show_unclaimed(options: argparse.Namespace) -> int:
    """The requests that belong to no job of a state, with the unknown jobs that they may be."""
    manifest = load(Path(options.unclaimed))
    state = housed(manifest.output, options.state, time.time()).state
    listing = _client(options).list(options.model)
    if listing.kind is not AnswerClass.ACCEPTED:
        raise ServiceError(
            f"the service's list cannot be read: {listing.message}", "reelrun doctor looks for the cause"
        )
    store = Store.read(state)
    if store is None:
        raise UsageError("there is no state yet", f"{command('run', options.unclaimed)} makes it")
    with store:
        unknown = [each for each in store.open_attempts() if each.model == options.model and each.request_id is None]
        claimed = store.claimed([each.request_id for each in listing.requests])
        facts, schema = store.model_facts(options.model), manifest.schemas.get(options.model)
    free = [
        (remote, [each.key for each in unknown if likeness(each, remote, schema, facts) is not Likeness.DIFFERENT])
        for remote in listing.requests
        if remote.request_id not in claimed
    ]
    if options.json:
        screen.document({"requests": [_unclaimed_document(remote, keys) for remote, keys in free]})
        return Exit.DONE
    for remote, keys in free:
        screen.show(f"{remote.request_id}  {remote.status!s:<10}  {', '.join(keys) or '(no unknown job)'}")
    screen.say(screen.count(len(free), "unclaimed request"))
    return Exit.DONE


def _unclaimed_document(remote: Remote, keys: list[str]) -> dict[str, object]:
    return {
        "request_id": remote.request_id,
        "model": remote.model,
        "status": remote.status,
        "created_at": remote.created_at,
        "may_be": keys,
    }


def _client(options: argparse.Namespace) -> Client:
    service = service_of(options)
    service.require_key()
    return Client(service.for_one_call())


def asked(client: Client, path: str) -> object:
    """GET the document at a path of the API. Raises AccessError and ServiceError."""
    reply = client.fetch_json(path)
    if isinstance(reply, Answer):
        hint = "check GMI_BASE_URL or --base-url, and the network; --patience waits longer"
        raise ServiceError(f"nothing answers at {client.service.base_url}: {reply.message}", hint)
    if reply.status in (401, 403):
        raise AccessError(f"the service refuses access: {reply.message}", "check GMI_API_KEY and GMI_ORG_ID")
    if reply.status == 200 and reply.document is None:
        said = f"{client.service.base_url} answers, but not as the API does: the answer is no valid JSON"
        raise ServiceError(said, "check GMI_BASE_URL or --base-url")
    if reply.status != 200:
        raise ServiceError(f"the service answers {_words(reply)}", "check the name; reelrun models lists what there is")
    return reply.document


def _words(reply: Reply) -> str:
    return f"{reply.status}: {reply.message}" if str(reply.status) not in reply.message else reply.message
