"""The lake on a server that speaks S3, over the loopback: same content, twice is once, killed, refused, purged."""

from __future__ import annotations

import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from contrechamp.domain.errors import CapabilityError
from contrechamp.domain.fingerprint import fingerprints
from contrechamp.pipelines.explain import explain
from contrechamp.pipelines.export import export
from contrechamp.pipelines.ingest import ingest
from contrechamp.pipelines.purge import purge
from contrechamp.store import lake as store

KEY = "a test key of thirty-two bytes !"
LAND = "mains_courantes"

#: The server counts this many calls before it asks for credentials: those by which the user and the bucket are made.
UNASKED = 4
SERVER = """
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
"""


@dataclass(frozen=True)
class S3:
    """A server, a bucket and the environment in which a user may use it."""

    env: dict[str, str]
    bucket: str = "lake"

    def files(self, prefix: str = "") -> dict[str, bytes]:
        """Every object, with its bytes."""
        import boto3

        client = boto3.client(
            "s3", endpoint_url=self.env["AWS_ENDPOINT_URL"], region_name="us-east-1",
            aws_access_key_id=self.env["AWS_ACCESS_KEY_ID"], aws_secret_access_key=self.env["AWS_SECRET_ACCESS_KEY"],
        )  # fmt: skip
        found: dict[str, bytes] = {}
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix):
            for item in page.get("Contents", []):
                found[item["Key"]] = client.get_object(Bucket=self.bucket, Key=item["Key"])["Body"].read()
        return found


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    import boto3

    # A process of its own: the engine of the lake holds the interpreter while it waits for an answer.
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True, env={**os.environ, "INITIAL_NO_AUTH_ACTION_COUNT": str(UNASKED)},
    )  # fmt: skip
    try:
        assert server.stdout is not None
        url = f"http://127.0.0.1:{int(server.stdout.readline())}"
        anybody = {
            "endpoint_url": url,
            "region_name": "us-east-1",
            "aws_access_key_id": "a",
            "aws_secret_access_key": "b",
        }
        iam = boto3.client("iam", **anybody)
        iam.create_user(UserName="contrechamp")
        rights = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
        iam.put_user_policy(UserName="contrechamp", PolicyName="lake", PolicyDocument=json.dumps(rights))
        key = iam.create_access_key(UserName="contrechamp")["AccessKey"]
        boto3.client("s3", **anybody).create_bucket(Bucket="lake")
        yield S3({
            "AWS_ENDPOINT_URL": url, "AWS_ALLOW_HTTP": "true", "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
        })  # fmt: skip
    finally:
        server.kill()
        server.wait()


@pytest.fixture
def lake(s3: S3, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    for name, value in {**s3.env, "CONTRECHAMP_PSEUDONYM_KEY": KEY}.items():
        monkeypatch.setenv(name, value)
    return f"s3://{s3.bucket}/{request.node.name.partition('[')[0]}"


def row(i: str, day: str, **changes: Any) -> str:
    return json.dumps({
        "id": i, "t_event": f"{day}T10:00:00Z", "t_entry": f"{day}T11:00:00Z", "lon": 5.37, "lat": 43.3,
        "type": "tapage", "origin": "call", "unit": "U1", "text": f"Name-{i} calls", "informant_name": f"Name-{i}",
        "informant_phone": None, **changes,
    })  # fmt: skip


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    folder = tmp_path / LAND
    folder.mkdir()
    for week in range(4):
        rows = [row(f"old-{week}-{i}", "2017-03-01") for i in range(5)] + [
            row(f"new-{week}-{i}", "2019-03-01") for i in range(5)
        ]
        (folder / f"{week}.jsonl").write_text("\n".join([*rows, row(f"spoilt-{week}", "2017-03-02", lon="x")]))
    return folder


def content(lake: str | Path) -> str:
    """Digest of all that an ingest commits, whatever the files it is in."""
    seen = hashlib.sha256()
    for table in (LAND, store.QUARANTINE, store.LEDGER):
        frame = store._read(lake, table, list(store.IDENTITY[table]), None)
        seen.update(frame.to_json(date_format="iso", date_unit="us", default_handler=repr).encode())
    return seen.hexdigest()


def test_the_same_lake_as_in_a_folder_and_twice_is_once(lake: str, landing: Path, tmp_path: Path) -> None:
    first = ingest(landing, lake=lake, key=KEY.encode())
    assert (first.rows_in, first.committed, first.quarantined) == (44, 40, 4)
    ingest(landing, lake=tmp_path / "folder", key=KEY.encode())
    assert content(lake) == content(tmp_path / "folder")
    second = ingest(landing, lake=lake, key=KEY.encode())
    assert second.duplicates == second.rows_in
    assert second.versions == first.versions


def test_the_command_line_needs_nothing_but_the_environment(
    lake: str, landing: Path, cli: Callable[..., Any], s3: S3
) -> None:
    done = cli("ingest", landing, "--lake", lake, "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["committed"] == 40
    told = cli("ingest", "--explain", "--lake", lake, "--json")
    assert sum(line["rows"] for line in json.loads(told.out)["quarantine"]) == 4
    said = done.out + done.err + told.out + told.err
    kept = "".join(data.decode("utf-8", errors="replace") for data in s3.files(lake.rpartition("/")[2] + "/").values())
    for secret in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        assert s3.env[secret] not in said + kept


def test_what_is_purged_is_in_no_object(lake: str, landing: Path, s3: S3) -> None:
    import pyarrow.parquet as pq

    ingest(landing, lake=lake, key=KEY.encode(), batch_rows=10)

    def holding(word: str) -> list[str]:
        return [
            name
            for name, data in s3.files(lake.rpartition("/")[2] + "/").items()
            if word.encode() in data
            or (name.endswith(".parquet") and word in str(pq.read_table(io.BytesIO(data)).to_pylist()))
        ]

    assert holding("old-0-1")
    assert holding("spoilt-0")
    dates = {"before": pd.Timestamp("2018-01-01", tz="UTC"), "asked_at": pd.Timestamp("2026-01-01", tz="UTC")}
    assert purge(lake, key=KEY.encode(), **dates).rows == 24
    assert holding("old-") == holding("spoilt-") == []
    assert purge(lake, key=KEY.encode(), **dates).rows == 0
    assert len(store.read_stream(lake, LAND)) == 20
    (landing / "9.jsonl").write_text("\n".join([row("old-9", "2017-01-01"), row("new-9", "2019-01-01")]))
    assert ingest(landing, lake=lake, key=KEY.encode()).reasons == {"purged": 1}
    assert holding("old-9") == []


def test_a_writer_that_looked_before_a_purge_loses_nothing_after_it(lake: str, landing: Path) -> None:
    """There is no lock here: its next version must be seen to be taken, though the log has been cut."""
    ingest(landing, lake=lake, key=KEY.encode())
    late = store.Writer(lake, LAND)
    more = store.read_stream(lake, LAND)[:1].assign(record_id="late", t_event=pd.Timestamp("2020-01-01", tz="UTC"))
    assert late.known(more["record_id"], fingerprints(more["record_id"])).empty
    purge(
        lake,
        before=pd.Timestamp("2018-01-01", tz="UTC"),
        key=KEY.encode(),
        asked_at=pd.Timestamp("2026-01-01", tz="UTC"),
    )
    with pytest.raises(store.Overtaken):
        late.append(more)
    assert late.add(more) == 1
    assert store.read_stream(lake, LAND)["record_id"].tolist().count("late") == 1
    assert len(store.read_stream(lake, LAND)) == 21


@pytest.mark.parametrize("after", [0.3, 0.8])
def test_killed_in_the_middle_and_run_again_nothing_is_lost_or_doubled(
    lake: str, landing: Path, tmp_path: Path, after: float
) -> None:
    there = f"{lake}-{after}"
    code = (
        "import sys; from pathlib import Path; from contrechamp.pipelines.ingest import ingest; print(1, flush=True);"
        f"ingest(Path(sys.argv[1]), lake=sys.argv[2], key={KEY.encode()!r}, batch_rows=5)"
    )
    killed = subprocess.Popen([sys.executable, "-c", code, str(landing), there], stdout=subprocess.PIPE, text=True)
    assert killed.stdout is not None
    killed.stdout.readline()
    time.sleep(after)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    report = ingest(landing, lake=there, key=KEY.encode())
    assert report.rows_in == report.committed + report.quarantined + report.duplicates == 44
    ingest(landing, lake=tmp_path / "whole", key=KEY.encode())
    for table in (LAND, store.QUARANTINE):
        one, other = (store._read(x, table, list(store.IDENTITY[table]), None) for x in (there, tmp_path / "whole"))
        pd.testing.assert_frame_equal(one, other)


def test_two_ingests_at_once_commit_every_row_once(lake: str, landing: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from contrechamp.pipelines.ingest import ingest;"
        f"r = ingest(Path(sys.argv[1]), lake=sys.argv[2], key={KEY.encode()!r}, batch_rows=10); print(r.committed)"
    )
    at_once = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(landing), lake], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(2)
    ]
    for process in at_once:
        _, err = process.communicate(timeout=120)
        assert process.returncode == 0, err.decode()[-2000:]
    found = store.read_stream(lake, LAND)
    assert len(found) == found["record_id"].nunique() == 40
    assert len(store.read_quarantine(lake)) == 4


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"AWS_SECRET_ACCESS_KEY": "not-the-secret-of-this-key"}, "SignatureDoesNotMatch"),
        ({"AWS_ACCESS_KEY_ID": "AKIANOBODYATALL"}, "InvalidAccessKeyId"),
    ],
)
def test_wrong_credentials_get_one_paragraph_without_them(
    lake: str,
    landing: Path,
    cli: Callable[..., Any],
    s3: S3,
    change: dict[str, str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done = cli("ingest", landing, "--lake", lake, env=change)
    assert done.code == 13, done.err
    paragraph = [line for line in done.err.splitlines() if line.startswith("contrechamp:")]
    assert len(paragraph) == 1
    messages = [paragraph[0]]
    for name, value in change.items():
        monkeypatch.setenv(name, value)
    dates = {"before": pd.Timestamp("2018-01-01", tz="UTC"), "asked_at": pd.Timestamp("2026-01-01", tz="UTC")}
    for other in (lambda: explain(lake), lambda: purge(lake, key=KEY.encode(), **dates),
                  lambda: export(lake, to="postgresql:///x"), lambda: store.read_ledger(lake)):  # fmt: skip
        with pytest.raises(CapabilityError) as refused:
            other()
        assert refused.value.__cause__ is None
        messages.append(str(refused.value))
    for message in messages:
        assert "\n" not in message
        assert said in message
        for secret in (s3.env["AWS_ACCESS_KEY_ID"], s3.env["AWS_SECRET_ACCESS_KEY"], *change.values(), KEY):
            assert secret not in message + done.out + done.err
    for name in change:
        monkeypatch.setenv(name, s3.env[name])
    assert s3.files(lake.rpartition("/")[2] + "/") == {}


def test_a_bucket_that_is_not_there_is_said(landing: Path, lake: str) -> None:
    with pytest.raises(CapabilityError, match="there is no such bucket"):
        ingest(landing, lake="s3://no-such-bucket/lake", key=KEY.encode())


def test_the_server_lets_only_one_of_two_writers_have_a_version(lake: str, s3: S3) -> None:
    """The commit of a table is a conditional put: this is what makes two ingests at once safe on an object store."""
    import boto3
    from botocore.exceptions import ClientError

    client = boto3.client(
        "s3", endpoint_url=s3.env["AWS_ENDPOINT_URL"], region_name="us-east-1",
        aws_access_key_id=s3.env["AWS_ACCESS_KEY_ID"], aws_secret_access_key=s3.env["AWS_SECRET_ACCESS_KEY"],
    )  # fmt: skip
    client.put_object(Bucket=s3.bucket, Key="once", Body=b"1", IfNoneMatch="*")
    with pytest.raises(ClientError, match="PreconditionFailed"):
        client.put_object(Bucket=s3.bucket, Key="once", Body=b"2", IfNoneMatch="*")
