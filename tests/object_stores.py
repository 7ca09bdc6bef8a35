"""Real object stores on this machine, from packages: moto's S3 server and SeaweedFS."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

ACCESS, SECRET = "reelrun-tests", "not-a-secret"
# SeaweedFS adds 10000 to each of its ports for gRPC.
_HIGHEST = 55_000
_SCRIPTS = Path(sysconfig.get_path("scripts"))


@dataclass(frozen=True)
class ObjectStore:
    """A server, and what the environment of whoever uses it has."""

    endpoint: str
    process: subprocess.Popen[bytes]
    # Whether what is put into a bucket that is not there makes it.
    makes_buckets: bool

    @property
    def environment(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": ACCESS,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "us-east-1",
        }

    def make_bucket(self, name: str, *, is_public: bool = False) -> str:
        """A new bucket, which anybody may read if it is public, and its address."""
        import boto3
        from botocore.config import Config

        client = boto3.client(
            "s3", endpoint_url=self.endpoint, aws_access_key_id=ACCESS, aws_secret_access_key=SECRET,
            region_name="us-east-1", config=Config(proxies={}),
        )  # fmt: skip
        client.create_bucket(Bucket=name)
        if is_public:
            read = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{name}/*"}
            client.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [read]}))
        return f"s3://{name}"


@contextmanager
def moto() -> Iterator[ObjectStore]:
    port = _free_ports(1)[0]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with _running(command, port, os.environ, makes_buckets=False) as store:
        yield store


@contextmanager
def seaweed() -> Iterator[ObjectStore]:
    folder = Path(tempfile.mkdtemp(prefix="seaweed"))
    try:
        actions = ["Admin", "Read", "Write", "List", "Tagging"]
        keys = [{"accessKey": ACCESS, "secretKey": SECRET}]
        (folder / "s3.json").write_text(
            json.dumps({"identities": [{"name": "tests", "credentials": keys, "actions": actions}]})
        )
        master, volume, filer, s3 = _free_ports(4)
        command = [
            *(str(_SCRIPTS / "weed"), "server", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"),
            *(f"-master.port={master}", f"-volume.port={volume}", "-volume.max=50", "-master.volumeSizeLimitMB=64"),
            # Its other servers have fixed ports, which two of them cannot share, and it tells its makers of its use.
            *("-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false"),
            *("-filer", f"-filer.port={filer}", "-s3", f"-s3.port={s3}", f"-s3.config={folder / 's3.json'}"),
        ]
        with _running(command, s3, {**os.environ, "HOME": str(folder)}, makes_buckets=True) as store:
            yield store
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _running(command: list[str], port: int, environment: object, *, makes_buckets: bool) -> Iterator[ObjectStore]:
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
        env=environment, start_new_session=True,
    )  # fmt: skip
    try:
        endpoint = f"http://127.0.0.1:{port}"
        _wait_for(endpoint, process)
        yield ObjectStore(endpoint, process, makes_buckets)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_for(endpoint: str, process: subprocess.Popen[bytes]) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for _ in range(600):
        assert process.poll() is None, f"the object store ended with {process.returncode}"
        try:
            opener.open(endpoint, timeout=1).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.05)
            continue
        return
    raise AssertionError("the object store did not start")


def _free_ports(count: int) -> list[int]:
    """Free ports that are low enough."""
    found: list[int] = []
    base = 20_000 + os.getpid() * 7 % 20_000
    for port in range(base, _HIGHEST - 10_000):
        with closing(socket.socket()) as one, closing(socket.socket()) as other:
            try:
                one.bind(("127.0.0.1", port))
                other.bind(("127.0.0.1", port + 10_000))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            return found
    raise AssertionError("no free ports")
