"""Public clients of the API work against the sandbox as they do against the service.

Others wrote them, from what the service answers; that they accept what the sandbox answers is the evidence that it can
stand in for the service.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.test_sandbox_kit import MODEL, SIBLINGS, Client, in_base64, payload, picture_bytes, running, video_url

_PATIENCE = 60.0  # seconds


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with running(tmp_path_factory.mktemp("contract")) as opened:
        yield opened


@pytest.fixture(scope="module")
def shapes() -> ModuleType:
    """The response models of the vendor's SDK."""
    pytest.importorskip("jwt", reason="gmicloud needs PyJWT and does not say so")
    pytest.importorskip("gmicloud")
    from gmicloud._internal import _models

    return _models


@pytest.fixture(scope="module")
def sdk(client: Client, shapes: ModuleType) -> Any:  # the SDK has no types
    """The video calls of the vendor's SDK, led to the sandbox.

    Its `Client` logs in at a fixed address first, so the part below it is used; that has no setting for the address
    either, but keeps it in a public attribute.
    """
    from gmicloud._internal._client._iam_client import IAMClient
    from gmicloud._internal._manager._video_manager import VideoManager

    manager = VideoManager(IAMClient("gmisdk", "someone@example.com", "no password"))
    manager.video_client.client.base_url = client.base_url
    return manager


class TestSdk:
    """gmicloud."""

    def test_it_submits_polls_and_lists(self, sdk: Any, shapes: ModuleType) -> None:
        asked = shapes.SubmitRequestRequest(model=SIBLINGS[2], payload=payload(duration="5", cfg_scale=0.5))
        submitted = sdk.create_request(asked)
        assert isinstance(submitted, shapes.SubmitRequestResponse)
        assert submitted.status.value == "queued"
        detail = sdk.get_request_detail(submitted.request_id)
        assert isinstance(detail, shapes.GetRequestResponse)
        assert detail.payload == asked.payload
        assert [request.request_id for request in sdk.get_requests(SIBLINGS[2])] == [submitted.request_id]

    def test_it_reads_a_model(self, sdk: Any, shapes: ModuleType) -> None:
        detail = sdk.get_model_detail(MODEL)
        assert isinstance(detail, shapes.GetModelResponse)
        assert (detail.model, detail.model_type, detail.price_info.price) == (MODEL, "video", 0)
        assert {parameter["name"] for parameter in detail.parameters} >= {"image", "prompt", "duration", "cfg_scale"}

    def test_it_understands_errors(self, sdk: Any, shapes: ModuleType) -> None:
        refused = sdk.create_request(shapes.SubmitRequestRequest(model=MODEL, payload=payload(prompt="forbidden")))
        assert "400" in refused["code"]
        assert "404" in sdk.get_request_detail("unknown")["code"]

    def test_submissions_have_its_shape_exactly(self, client: Client, shapes: ModuleType) -> None:
        answer = client.post({"model": MODEL, "payload": payload()})
        shapes.SubmitRequestResponse.model_validate_json(answer.text, strict=True)
        assert set(answer.json()) == set(shapes.SubmitRequestResponse.model_fields)

    def test_polls_have_its_shape_at_every_status(self, tmp_path: Path, shapes: ModuleType) -> None:
        seen: set[str] = set()
        with running(tmp_path, queue_seconds=0.2, seconds=1.5, clip_height=32) as client:
            request_id = client.submit()
            while not seen & {"success", "failed"}:
                answer = client.get(f"/requests/{request_id}")
                detail = shapes.GetRequestResponse.model_validate_json(answer.text, strict=True)
                assert set(answer.json()) == set(shapes.GetRequestResponse.model_fields)
                seen.add(detail.status.value)
        assert seen == {"queued", "dispatched", "processing", "success"}

    def test_failures_have_its_shape(self, tmp_path: Path, shapes: ModuleType) -> None:
        with running(tmp_path, failure_rate=1.0) as client:
            request_id = client.submit()
            client.finished(request_id)
            text = client.get(f"/requests/{request_id}").text
        detail = shapes.GetRequestResponse.model_validate_json(text, strict=True)
        assert (detail.status.value, detail.outcome) == ("failed", {})

    def test_listings_have_its_shape(self, client: Client, shapes: ModuleType) -> None:
        client.submit()
        text = client.get("/requests", params={"model_id": MODEL}).text
        listing = shapes.ListUserRequestsResponse.model_validate_json(text, strict=True)
        assert listing.total == len(listing.requests) > 0

    @pytest.mark.parametrize("model", SIBLINGS)
    def test_models_have_its_shape(self, client: Client, shapes: ModuleType, model: str) -> None:
        answer = client.get(f"/models/{model}")
        shapes.GetModelResponse.model_validate_json(answer.text, strict=True)
        # What the service tells since this client was written, and other clients read.
        newer = {"delivery_mode", "pricing_details"}
        assert set(answer.json()) - newer <= set(shapes.GetModelResponse.model_fields)


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Client, Path]]:
    """A sandbox with TLS, a client of it, and the authority to trust."""
    trustme = pytest.importorskip("trustme")
    folder = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    trusted, key, chain = folder / "authority.pem", folder / "key.pem", folder / "certificate.pem"
    authority.cert_pem.write_to_path(trusted)
    certificate.private_key_pem.write_to_path(key)
    chain.write_bytes(b"".join(part.bytes() for part in certificate.cert_chain_pems))
    with running(folder, certificate=chain, private_key=key) as plain:
        yield Client(plain.base_url, str(trusted), plain.session), trusted


@pytest.fixture
def provider(secure: tuple[Client, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:  # it has no types for this
    """genblaze's provider, as its documentation has it; it trusts the authority by SSL_CERT_FILE."""
    genblaze = pytest.importorskip("genblaze_gmicloud")
    client, trusted = secure
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    opened = genblaze.GMICloudVideoProvider(api_key="any", base_url=client.base_url, poll_interval=0.05)
    yield opened
    opened.close()


def step(**more: object) -> Any:
    """A step of genblaze without a duration: the provider would make an integer of it, which the API refuses."""
    from genblaze_core.models.enums import Modality
    from genblaze_core.models.step import Step

    asked = {"prompt": "slow push-in", "params": {"image": in_base64(picture_bytes()), "guidance_scale": 0.7}, **more}
    return Step(provider="gmicloud", model=MODEL, modality=Modality.VIDEO, **asked)


def carried_out(provider: Any, asked: Any) -> Any:
    """The three calls that the provider's own `invoke` makes, without its pause of 24 s before the first poll."""
    request_id = provider.submit(asked).prediction_id
    end = time.monotonic() + _PATIENCE
    while not provider.poll(request_id):
        assert time.monotonic() < end
        time.sleep(0.02)
    return provider.fetch_output(request_id, asked)


class TestGenblaze:
    """genblaze-gmicloud."""

    def test_it_submits_polls_and_fetches(self, provider: Any, secure: tuple[Client, Path]) -> None:
        finished = carried_out(provider, step())
        (asset,) = finished.assets
        client, _ = secure
        detail = client.detail(finished.provider_payload["gmicloud"]["request_id"])
        assert video_url(detail["outcome"]) == asset.url
        assert detail["payload"] == payload(cfg_scale=0.7)
        # Its own transfer to storage refuses every loopback address, without a way round; the bytes are asked for here.
        answer = client.get(asset.url)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, asset.media_type)
        assert answer.headers["ETag"] == f'"{hashlib.sha256(answer.content).hexdigest()}"'

    def test_it_reads_both_shapes_of_an_outcome(self, provider: Any) -> None:
        finished = [carried_out(provider, step(prompt=f"static {number}")) for number in range(2)]
        assert all(one.assets[0].url.startswith("https://127.0.0.1:") for one in finished)

    def test_it_sends_a_picture_by_its_address(self, provider: Any, secure: tuple[Client, Path]) -> None:
        from genblaze_core.models.asset import Asset

        url = "https://example.com/bag.jpg"
        finished = carried_out(provider, step(params={}, inputs=[Asset(url=url, media_type="image/jpeg")]))
        assert len(finished.assets) == 1
        client, _ = secure
        assert client.get("/requests").json()["requests"][-1]["payload"]["image"] == url

    def test_it_takes_a_refusal_for_what_it_is(self, provider: Any) -> None:
        from genblaze_core.models.enums import ProviderErrorCode

        refused = provider.invoke(step(prompt="something forbidden"))
        assert (refused.status, refused.error_code) == ("failed", ProviderErrorCode.CONTENT_POLICY)
        wrong = provider.invoke(step(params={"duration": 5, "image": in_base64(picture_bytes())}))
        assert (wrong.status, wrong.error_code) == ("failed", ProviderErrorCode.INVALID_INPUT)

    def test_its_probes_tell_a_model_from_none(self, provider: Any) -> None:
        """It asks with an empty payload: 400 is a model that is there, 404 one that is not."""
        from genblaze_core.providers import LiveProbeResult
        from genblaze_gmicloud._probe import empty_payload_request_probe

        provider.preflight_auth()
        http = provider._get_http_client()
        assert empty_payload_request_probe(MODEL, http=http) is LiveProbeResult.LIVE
        assert empty_payload_request_probe("nope", http=http) is LiveProbeResult.DEAD
