"""Backtests kept side by side in MLflow: parameters, scores, tables and model of each, one run per predictor.

The run folder is the evidence; MLflow is the notebook beside it, for comparing many runs. It writes to a SQLite
database by default, next to its artefacts. Its file store is never used, nothing is sent anywhere (its usage telemetry
is switched off before it is imported) and it is imported only here, because importing it takes seconds.
"""

from __future__ import annotations

import os
import re
import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from contrechamp.domain.errors import CapabilityError, bad_parameter
from contrechamp.domain.provenance import canonical_json, plain
from contrechamp.domain.results import Outcome, Result, Scalar
from contrechamp.store.files import write_bytes, write_parquet

EXPERIMENT_NAME: Final = "contrechamp-backtest"
#: Folders of artefacts of a run.
MODEL_FOLDER: Final = "model"
TABLES_FOLDER: Final = "tables"
_SQLITE: Final = "sqlite:///"


def sqlite_uri(folder: Path) -> str:
    """Address of the SQLite store of ``folder``: the file ``mlflow.db`` in it, written with an absolute path."""
    return f"{_SQLITE}{(folder / 'mlflow.db').resolve().as_posix()}"


def log_backtest(
    outcome: Outcome,
    *,
    run_name: str,
    params: Mapping[str, Scalar],
    predictor_params: Mapping[str, Mapping[str, Any]] | None = None,
    models: Mapping[str, Mapping[str, bytes]] | None = None,
    tracking_uri: str,
) -> str:
    """Log a backtest: one parent run, and one nested run per predictor with its parameters, scores and tables.

    Parameters
    ----------
    outcome : Outcome
        From :func:`contrechamp.pipelines.backtest.backtest`.
    run_name : str
        Name of the parent run, for instance the id of the run folder.
    params : mapping of str to scalar
        Parameters of the run: seed, days, scenario digest…
    predictor_params : mapping of str to mapping, optional
        Parameters of each predictor.
    models : mapping of str to mapping of str to bytes, optional
        Files of each fitted predictor, from :func:`models.storage.dumps`. Artefacts of its run, under ``model/``.
    tracking_uri : str
        ``sqlite:///…/mlflow.db`` (see :func:`sqlite_uri`), another database, or the ``http(s)://`` of a server.

    Returns
    -------
    str
        MLflow id of the parent run.

    Raises
    ------
    ParameterError
        If the address is a folder or ``file:``: MLflow's file store is refused.
    CapabilityError
        If the store cannot be reached or stays locked by another process.

    Notes
    -----
    A metric's name is ``<measure>.<world>``, with its interval in ``.low`` and ``.high`` and its ``.n``; what is not
    estimable is left out and named in the tag ``not_estimable``. The full results are the artefact ``results.json`` of
    each run; rows of the tables that name a predictor are artefacts of its run. MLflow's global state (its current run
    and tracking address) is not touched. Models are the platform's own files: no pickle is made.
    """
    with reached(tracking_uri, where="log_backtest") as client:
        experiment_id = _experiment(client, tracking_uri)
        parent = _log_run(client, experiment_id, name=run_name, params=params, results=outcome.results)
        for key in _predictors(outcome):
            _log_run(
                client, experiment_id, name=key, parent=parent, params=(predictor_params or {}).get(key, {}),
                results=[r for r in outcome.results if r.world.get("predictor") == key],
                tables=_rows_of(outcome, key), files=(models or {}).get(key, {}),
            )  # fmt: skip
    return parent


def check_address(tracking_uri: str, *, where: str) -> None:
    """Refuse a folder or ``file:``.

    Raises
    ------
    ParameterError
    """
    scheme = tracking_uri.partition(":")[0]
    if "://" not in tracking_uri or scheme == "file":
        raise bad_parameter(
            name="tracking_uri", where=where, must="a database or a server",
            got=_without_password(tracking_uri), remedy="Write sqlite:////absolute/path/mlflow.db or http://host:port.",
        )  # fmt: skip


@contextmanager
def reached(tracking_uri: str, *, where: str) -> Iterator[Any]:
    """A client of the store, with its refusals said in one paragraph.

    Raises
    ------
    ParameterError, CapabilityError
        See :func:`log_backtest`.
    """
    check_address(tracking_uri, where=where)
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    from mlflow.exceptions import MlflowException
    from mlflow.tracking import MlflowClient
    from sqlalchemy.exc import SQLAlchemyError

    try:
        _knock(tracking_uri)
        yield MlflowClient(tracking_uri=tracking_uri)
    except (MlflowException, SQLAlchemyError, OSError) as cause:
        shown, first = _without_password(tracking_uri), (str(cause).splitlines() or [""])[0]
        locked = "locked" in str(cause).lower()
        what = "is locked by another process" if locked else "could not be used"
        remedy = "Wait for the other run to end, or give this one its own folder." if locked else "Check the address."
        raise CapabilityError(
            f"The MLflow store {shown} {what}. Got {type(cause).__name__}: {_without_password(first)[:200]}. "
            f"{remedy} The backtest itself is unharmed: its numbers are in the run folder."
        ) from cause


def _knock(tracking_uri: str) -> None:
    """Open and close a connection to a server: MLflow would try for minutes before it says that nobody answers."""
    parts = urlsplit(tracking_uri)
    if parts.scheme in ("http", "https") and parts.hostname:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        socket.create_connection((parts.hostname, port), timeout=10).close()


def runs_by_predictor(client: Any, parent: str) -> dict[str, str]:
    """Ids of the nested runs of ``parent``, by predictor."""
    experiment = str(client.get_run(parent).info.experiment_id)
    found = client.search_runs([experiment], filter_string=f"tags.`mlflow.parentRunId` = '{parent}'", max_results=1000)
    return {str(run.info.run_name): str(run.info.run_id) for run in found}


def _without_password(text: str) -> str:
    """Hide the password of every address in a text: messages end in logs.

    Examples
    --------
    >>> _without_password("cannot reach postgresql://me:s3cr:et@host/db")
    'cannot reach postgresql://me:***@host/db'
    """
    return re.sub(r"(://[^/\s:@]*):[^/\s]*@", r"\1:***@", text)


def _experiment(client: Any, tracking_uri: str) -> str:
    found = client.get_experiment_by_name(EXPERIMENT_NAME)
    if found is not None:
        return str(found.experiment_id)
    beside = None
    if tracking_uri.startswith(_SQLITE):
        beside = (
            Path(tracking_uri.removeprefix(_SQLITE).partition("?")[0]).resolve().parent / "mlflow-artifacts"
        ).as_uri()
    try:
        return str(client.create_experiment(EXPERIMENT_NAME, artifact_location=beside))
    except Exception:
        made_meanwhile = client.get_experiment_by_name(EXPERIMENT_NAME)
        if made_meanwhile is None:
            raise
        return str(made_meanwhile.experiment_id)


def _log_run(
    client: Any, experiment_id: str, *, name: str, params: Mapping[str, Any], results: Any, parent: str | None = None,
    tables: Mapping[str, Any] | None = None, files: Mapping[str, bytes] | None = None,
) -> str:  # fmt: skip
    from mlflow.entities import Metric, Param, RunTag

    tags = {"mlflow.runName": name} | ({"mlflow.parentRunId": parent} if parent else {})
    run = client.create_run(experiment_id, tags=tags, run_name=name)
    run_id = str(run.info.run_id)
    metrics, missing = ({}, []) if parent is None else _metrics(results)
    now = int(run.info.start_time)
    client.log_batch(
        run_id,
        metrics=[Metric(key, value, now, 0) for key, value in metrics.items()],
        params=[Param(key, str(plain(value))) for key, value in params.items()],
        tags=[RunTag("not_estimable", ", ".join(missing))] if missing else [],
    )
    client.log_text(run_id, canonical_json([r.to_dict() for r in results]) + "\n", "results.json")
    with tempfile.TemporaryDirectory(prefix="contrechamp-mlflow-") as folder:
        for table, rows in (tables or {}).items():
            write_parquet(rows, Path(folder) / TABLES_FOLDER / f"{table}.parquet")
        for file, data in (files or {}).items():
            write_bytes(Path(folder) / MODEL_FOLDER / file, data)
        if tables or files:
            client.log_artifacts(run_id, folder)
    client.set_terminated(run_id, status="FINISHED")
    return run_id


def _metrics(results: list[Result]) -> tuple[dict[str, float], list[str]]:
    metrics: dict[str, float] = {}
    missing: list[str] = []
    for r in results:
        name = ".".join([r.measure, *(f"{k}_{v}" for k, v in sorted(r.world.items()) if k != "predictor")])
        i = r.interval
        if i.estimate is None or i.low is None or i.high is None:
            missing.append(name)
            continue
        metrics |= {name: i.estimate, f"{name}.low": i.low, f"{name}.high": i.high, f"{name}.n": float(i.n)}
    return metrics, missing


def _predictors(outcome: Outcome) -> list[str]:
    return list(dict.fromkeys(str(r.world["predictor"]) for r in outcome.results if "predictor" in r.world))


def _rows_of(outcome: Outcome, key: str) -> dict[str, Any]:
    """Rows about one predictor, of the tables that name one."""
    named = {name: table for name, table in outcome.tables.items() if "predictor" in table.columns}
    return {name: table[table["predictor"] == key].reset_index(drop=True) for name, table in named.items()}
