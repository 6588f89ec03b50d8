"""The ingest as Airflow DAGs, one per family of streams: every ten minutes, whatever has been dropped.

Each stream that has files is a task of its own: a poisoned file, or a stream that cannot be used at all, stops no
other. What the storage refuses is tried again, later and later; what the data refuse is not, a person has to look. Each
stream is an asset of the lake, and the event of a change carries counts, table version and the SHA-256 of the files.

The folders are ``CONTRECHAMP_LANDING`` and ``CONTRECHAMP_LAKE`` (a folder or a URL), the keys ``CONTRECHAMP_KEYS`` or
``CONTRECHAMP_PSEUDONYM_KEY``; what is done is in :mod:`contrechamp.pipelines.landing`.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pendulum
from airflow.sdk import DAG, Asset, AssetAlias, Param, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException

from contrechamp.domain.streams import FAMILIES, LAYOUTS

#: Stream → the asset that its table in the lake is.
TABLES = {key: Asset(name=f"contrechamp_lake_{key}", uri=f"contrechamp://lake/{key}") for key in LAYOUTS}


def _ingest_family(family: str) -> DAG:
    """Make the DAG of one family."""
    changes = AssetAlias(name=f"contrechamp_lake_{family}")

    @dag(
        dag_id=f"ingest_{family}",
        schedule="*/10 * * * *",
        start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Paris"),
        catchup=False,
        max_active_runs=1,
        tags=["contrechamp", "ingest"],
        params={
            "landing": Param(
                os.environ.get("CONTRECHAMP_LANDING", "landing"), type="string", description="Landing folder"
            ),
            "lake": Param(os.environ.get("CONTRECHAMP_LAKE", "lake"), type="string", description="Lake: folder or URL"),
        },
        default_args={
            "retries": 3,
            "retry_delay": timedelta(seconds=30),
            "retry_exponential_backoff": True,
            "max_retry_delay": timedelta(minutes=10),
        },
        description=FAMILIES[family].en,  # type: ignore[index]
        doc_md=__doc__,
    )
    def ingest_family() -> None:
        @task
        def waiting() -> list[str]:
            from contrechamp.pipelines import landing

            return landing.waiting(Path(get_current_context()["params"]["landing"]), family)

        @task(outlets=[changes], map_index_template="{{ stream }}")
        def ingest(stream: str) -> dict[str, Any]:
            from contrechamp.domain.errors import ContractError, ParameterError
            from contrechamp.pipelines import landing

            context = get_current_context()
            context["stream"] = stream
            params = context["params"]
            try:
                done = landing.ingest_stream(
                    Path(params["landing"]), stream, lake=params["lake"], environment=os.environ
                )
            except (ContractError, ParameterError) as refused:
                raise AirflowFailException(str(refused)) from None
            if done["changed"]:
                context["outlet_events"][changes].add(TABLES[stream], extra=done)
            return done

        ingest.expand(stream=waiting())

    return ingest_family()


for _family in FAMILIES:
    globals()[f"ingest_{_family}"] = _ingest_family(_family)
