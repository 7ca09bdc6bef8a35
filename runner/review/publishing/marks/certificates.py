"""The certificate that a publisher signs with, or one for trying, which nobody trusts."""

from __future__ import annotations

import datetime
import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from runner.errors import UsageError
from runner.shipped import install_line
from runner.state.disk import disk_errors, make_folder

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

SELF = "self"
_NOBODY = "trusted by nobody"
_DAYS = 365
_FILES = ("certificate.pem", "private-key.pem", "root.pem")


@dataclass(frozen=True, slots=True)
class Certificate:
    """A chain of certificates, the signer's first, with its key, both PEM. `algorithm` is C2PA's name for the key's.

    `is_trial`: it was made for trying.
    """

    chain: str = field(repr=False)
    key: str = field(repr=False)
    algorithm: str
    holder: str
    is_trial: bool = False

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.chain.encode()).hexdigest()


def certificate_of(path: Path, key: Path) -> Certificate:
    """Raises UsageError for files that are not a certificate and its key, or that have expired."""
    try:
        return _checked(path.read_text("ascii"), key.read_text("ascii"))
    except OSError as error:
        hint = "give the paths of two PEM files"
        raise UsageError(f"{error.filename} cannot be read: {error.strerror}", hint) from None
    except (ValueError, TypeError) as error:
        hint = "both are PEM files, the certificate with its chain, and the key has no password"
        raise UsageError(f"{path} and {key} are no certificate and its key: {error}", hint) from None


def trial_certificate(folder: Path) -> Certificate:
    """The certificate for trying in this folder; it is made where there is none, or an expired one.

    Raises UsageError without the extra, and DiskError.
    """
    chain, key, _ = (folder / name for name in _FILES)
    try:
        return _checked(chain.read_text("ascii"), key.read_text("ascii"), is_trial=True)
    except (OSError, ValueError):
        with disk_errors(f"write {folder}"):
            make_folder(folder)
            for name, text in zip(_FILES, _made(), strict=True):
                (folder / name).touch(mode=0o600)
                (folder / name).write_text(text, "ascii")
        return _checked(chain.read_text("ascii"), key.read_text("ascii"), is_trial=True)


def _checked(chain: str, key: str, *, is_trial: bool = False) -> Certificate:
    """Raises ValueError and TypeError as the library does, and for two that do not belong together."""
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ImportError as error:
        raise UsageError(f"--certificate needs {error.name}", install_line("provenance")) from None
    first = x509.load_pem_x509_certificates(chain.encode())[0]
    private = load_pem_private_key(key.encode(), None)
    if private.public_key() != first.public_key():
        raise ValueError("they do not belong together")
    now = datetime.datetime.now(datetime.UTC)
    if not first.not_valid_before_utc <= now <= first.not_valid_after_utc:
        dates = f"{first.not_valid_before_utc:%Y-%m-%d} to {first.not_valid_after_utc:%Y-%m-%d}"
        raise ValueError(f"the certificate is valid from {dates}")
    names = (str(each.value) for each in first.subject)
    return Certificate(chain, key, _algorithm(private), ", ".join(names), is_trial)


def _algorithm(key: object) -> str:
    """C2PA 2.1, 13.2. Raises ValueError for another kind of key."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    if isinstance(key, ec.EllipticCurvePrivateKey) and key.key_size in (256, 384, 521):
        return {256: "es256", 384: "es384", 521: "es512"}[key.key_size]
    if isinstance(key, rsa.RSAPrivateKey):
        return "ps256"
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "ed25519"
    raise ValueError("its key is of a kind that C2PA does not have")


def _made() -> tuple[str, str, str]:
    """A chain, its key, and its root alone. C2PA takes no certificate that signs itself: the root signs another one,
    and the root's key is forgotten."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    roots, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root, leaf = _signed("root", roots, roots), _signed("certificate", own, roots)
    pem = [each.public_bytes(serialization.Encoding.PEM).decode() for each in (leaf, root)]
    key = own.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    return "".join(pem), key, pem[1]


def _signed(what: str, key: ec.EllipticCurvePrivateKey, signer: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import ExtendedKeyUsageOID

    is_root, now = key is signer, datetime.datetime.now(datetime.UTC)
    unused = "content_commitment key_encipherment data_encipherment key_agreement encipher_only decipher_only"
    usage = x509.KeyUsage(
        digital_signature=not is_root, key_cert_sign=is_root, crl_sign=is_root, **dict.fromkeys(unused.split(), False)
    )
    made = (
        x509.CertificateBuilder()
        .subject_name(_name(what))
        .issuer_name(_name("root"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=_DAYS))
        .add_extension(x509.BasicConstraints(is_root, None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if not is_root:
        # Readers of credentials take it where they know no list of trust.
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        made = made.add_extension(purpose, critical=False)
    return made.sign(signer, hashes.SHA256())


def _name(what: str) -> x509.Name:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    parts = ((NameOID.ORGANIZATION_NAME, "reelrun trial"), (NameOID.COMMON_NAME, f"trial {what}, {_NOBODY}"))
    return x509.Name([x509.NameAttribute(kind, text) for kind, text in parts])
