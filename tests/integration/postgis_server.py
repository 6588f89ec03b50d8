"""A PostgreSQL server with PostGIS for the tests: its own cluster, in a temporary folder, on the loopback only."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

#: A user that is not root, where the tests run as root: the server refuses to.
HELPERS = ("postgres", "nobody")


@dataclass(frozen=True)
class Server:
    """Where it listens and how to get in."""

    port: int
    user: str
    password: str

    @property
    def address(self) -> str:
        """Without the password."""
        return f"postgresql://{self.user}@127.0.0.1:{self.port}/city"


def programs() -> Path | None:
    """Folder of ``initdb`` of the newest version installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]), reverse=True)
    if found:
        return found[0].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


def _missing(why: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(f"{why}; in continuous integration it must be there (.ci/system-packages)")
    pytest.skip(f"{why}: run `make system-packages` where apt and root are at hand")


@contextmanager
def running() -> Iterator[Server]:
    """Make a cluster, start it, make the database ``city``, and take it all away in the end."""
    where = programs()
    if where is None:
        _missing("PostgreSQL is not installed")
        raise AssertionError
    if not list(Path("/usr/share/postgresql").glob("*/extension/postgis.control")):
        _missing("PostGIS is not installed")
    as_root = os.geteuid() == 0
    helper = next((name for name in HELPERS if _user(name)), None) if as_root else None
    if as_root and helper is None:
        _missing("there is no unprivileged user for the server to run as")
    folder = Path(tempfile.mkdtemp(prefix="contrechamp-pg-"))  # not pytest's: the helper could not enter it
    user = pwd.getpwnam(helper) if helper else None
    password, secret = secrets.token_urlsafe(12), folder / "password"

    def run(program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(where / program), *arguments], capture_output=True, text=True, check=False, cwd=folder,
            user=user.pw_uid if user else None, group=user.pw_gid if user else None, extra_groups=[] if user else None,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    try:
        secret.write_text(password)
        if user:
            for path in (folder, secret):
                os.chown(path, user.pw_uid, user.pw_gid)
        data = str(folder / "data")
        run("initdb", "-D", data, "-U", "contrechamp", "--auth=scram-sha-256", f"--pwfile={secret}", "-E", "UTF8", "-N")
        options = f"-p {port} -c listen_addresses=127.0.0.1 -k {folder} -c fsync=off -c shared_buffers=16MB"
        run("pg_ctl", "-D", data, "-w", "-t", "60", "-l", str(folder / "log"), "-o", options, "start")
        try:
            server = Server(port, "contrechamp", password)
            import psycopg

            with psycopg.connect(
                server.address.replace("/city", "/postgres"), password=password, autocommit=True
            ) as opened:
                opened.execute("CREATE DATABASE city")
                opened.execute("CREATE ROLE reader LOGIN PASSWORD 'reading-only'")
            yield server
        finally:
            run("pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _user(name: str) -> bool:
    try:
        return pwd.getpwnam(name).pw_uid != 0
    except KeyError:
        return False
