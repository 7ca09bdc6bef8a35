from __future__ import annotations

import stat
import subprocess

import pytest

from runner.errors import UsageError
from runner.review.publishing.marks.certificates import certificate_of, trial_certificate


def test_a_certificate_for_trying_is_made_once(tmp_path):
    made = trial_certificate(tmp_path / "certificate")
    assert made.is_trial
    assert made.algorithm == "es256"
    assert "trusted by nobody" in made.holder
    assert trial_certificate(tmp_path / "certificate") == made
    assert stat.S_IMODE((tmp_path / "certificate/private-key.pem").stat().st_mode) == 0o600
    assert "PRIVATE" not in repr(made)
    (tmp_path / "certificate/certificate.pem").write_text("")
    assert trial_certificate(tmp_path / "certificate").digest != made.digest


def test_a_certificate_of_ones_own(tmp_path):
    for kind, algorithm in (
        (["rsa:2048"], "ps256"),
        (["ec", "-pkeyopt", "ec_paramgen_curve:secp384r1"], "es384"),
        (["ed25519"], "ed25519"),
    ):
        key, chain = tmp_path / f"{algorithm}.key", tmp_path / f"{algorithm}.pem"
        command = [
            "openssl",
            "req",
            "-x509",
            "-nodes",
            "-newkey",
            *kind,
            "-keyout",
            key,
            "-out",
            chain,
            "-subj",
            "/CN=me",
        ]
        subprocess.run(command, check=True, capture_output=True)
        made = certificate_of(chain, key)
        assert (made.algorithm, made.holder, made.is_trial) == (algorithm, "me", False)
    for wrong in ((tmp_path / "ps256.pem", tmp_path / "es384.key"), (key, key), (chain, chain)):
        with pytest.raises(UsageError, match="are no certificate and its key"):
            certificate_of(*wrong)
    with pytest.raises(UsageError, match=r"none\.pem cannot be read"):
        certificate_of(tmp_path / "none.pem", key)
