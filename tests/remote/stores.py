"""Real stores on this machine as DVC's remote `store`, and access to their objects that bypasses DVC."""

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from tests.remote.wire import Wire

SSHD = shutil.which("sshd", path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin{os.pathsep}/usr/local/sbin")


class Store(Protocol):
    """A store. Names are relative to the remote's root; `wire` carries all traffic to a server."""

    commands: list[list[str]]
    wire: Wire | None

    def names(self) -> set[str]: ...
    def read(self, name: str) -> bytes: ...
    def write(self, name: str, content: bytes) -> None: ...
    def delete(self, name: str) -> None: ...


class Folder:
    """A folder; without `commands` it is the one beside the project that .dvc/config names."""

    def __init__(self, root: Path, commands: list[list[str]] | None = None, wire: Wire | None = None) -> None:
        self.root, self.commands, self.wire = root, commands or [], wire

    def names(self) -> set[str]:
        return {str(path.relative_to(self.root)) for path in self.root.rglob("*") if path.is_file()}

    def read(self, name: str) -> bytes:
        return (self.root / name).read_bytes()

    def write(self, name: str, content: bytes) -> None:
        with contextlib.suppress(FileNotFoundError):
            (self.root / name).chmod(0o644)
        (self.root / name).write_bytes(content)
        (self.root / name).chmod(0o444)  # as DVC has them

    def delete(self, name: str) -> None:
        (self.root / name).unlink()


class S3:
    """A bucket of an S3 API server."""

    def __init__(self, port: int, wire: Wire) -> None:
        import boto3

        self.wire = wire
        self.client = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{port}")
        self.client.create_bucket(Bucket="bucket")
        self.commands = [
            ["dvc", "remote", "modify", "store", "url", "s3://bucket/modelmake"],
            ["dvc", "remote", "modify", "store", "endpointurl", f"http://127.0.0.1:{wire.port}"],
        ]

    def names(self) -> set[str]:
        entries = self.client.list_objects_v2(Bucket="bucket").get("Contents", [])
        return {entry["Key"].removeprefix("modelmake/") for entry in entries}

    def read(self, name: str) -> bytes:
        return self.client.get_object(Bucket="bucket", Key=f"modelmake/{name}")["Body"].read()

    def write(self, name: str, content: bytes) -> None:
        self.client.put_object(Bucket="bucket", Key=f"modelmake/{name}", Body=content)

    def delete(self, name: str) -> None:
        self.client.delete_object(Bucket="bucket", Key=f"modelmake/{name}")


@contextlib.contextmanager
def folder(path: Path) -> Iterator[Store]:
    yield Folder(path / "modelmake-remote")


@contextlib.contextmanager
def s3(path: Path) -> Iterator[Store]:
    """A bucket whose credentials are in the environment, as in docs/remotes.md."""
    import logging

    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch, Wire(port) as wire:
        for name, value in {
            "ACCESS_KEY_ID": "reader",
            "SECRET_ACCESS_KEY": "secret",
            "DEFAULT_REGION": "us-east-1",
        }.items():
            patch.setenv(f"AWS_{name}", value)
        yield S3(port, wire)
    server.stop()


@contextlib.contextmanager
def ssh(path: Path) -> Iterator[Store]:
    """A folder behind OpenSSH's server. OpenSSH's client is used, as in docs/remotes.md, which checks known_hosts."""
    if SSHD is None:
        pytest.skip("no sshd: apt-get install openssh-server")
    path = path / "ssh"
    home = path / "home/.ssh"
    home.mkdir(parents=True, mode=0o700)
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # for privilege separation; usually made by init
    for key in (path / "host", path / "impostor", home / "id_ed25519"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (path / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {path}/host\nAuthorizedKeysFile {home}/id_ed25519.pub\n"
        "PidFile none\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nSubsystem sftp internal-sftp\n"
    )
    server = subprocess.Popen([SSHD, "-D", "-e", "-f", str(path / "sshd_config")], stderr=(path / "log").open("w"))
    try:
        with pytest.MonkeyPatch.context() as patch, Wire(port) as wire:
            patch.setenv("HOME", str(home.parent))
            common = f"  User {getpass.getuser()}\n  IdentityFile {home}/id_ed25519\n"
            known = f"  HostKeyAlias models\n  UserKnownHostsFile {home}/known_hosts\n  StrictHostKeyChecking yes\n"
            (home / "config").write_text(
                f"Host models.example.org\n  HostName 127.0.0.1\n  Port {wire.port}\n{common}{known}"
                f"Host models\n{common}  ProxyCommand ssh -F {home}/config -W localhost:{port} models.example.org\n"
                f"Host unchecked\n  HostName 127.0.0.1\n  Port {port}\n{common}"
            )
            trust(path, "host")
            for _ in range(100):
                if server.poll() is None and "listening" in (path / "log").read_text():
                    break
                time.sleep(0.1)
            else:
                raise AssertionError((path / "log").read_text())
            url = f"ssh://models{path}/remote"
            yield Folder(path / "remote", [["dvc", "remote", "modify", "store", "url", url]], wire)
    finally:
        server.terminate()
        server.wait()


def trust(path: Path, key: str) -> None:
    """Makes the public key of `key` the one that the client expects of the server."""
    kind, public, *_ = (path / f"{key}.pub").read_text().split()
    (path / "home/.ssh/known_hosts").write_text(f"models {kind} {public}\n")
