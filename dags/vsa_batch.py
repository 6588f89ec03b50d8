"""Video analytics as an Airflow DAG: render → detect → track → rules → score, mapped over cameras.

Each camera is a chain of its own: one that cannot be watched is kept with its reason, the others finish, and the run is
written with what there is before the DAG says that it failed. What is done: :mod:`contrechamp.pipelines.vsa_steps`.
There is no live source: cameras are scenes drawn here, with their truth, or clip folders that have it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pendulum
from airflow.sdk import Asset, Param, dag, get_current_context, task, task_group
from airflow.sdk.exceptions import AirflowFailException

RUNS = Asset(name="contrechamp_vsa_run", uri="contrechamp://vsa")


@dag(
    dag_id="vsa_batch",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Paris"),
    catchup=False,
    max_active_runs=1,
    tags=["contrechamp", "vsa"],
    params={
        "out": Param(os.environ.get("CONTRECHAMP_RUNS", "runs"), type="string", description="Folder of clips and runs"),
        "clips": Param([], type="array", description="Clip folders that exist; without any, scenes are rendered"),
        "scenes": Param(4, type="integer", minimum=1, description="Cameras to render"),
        "scene": Param({}, type="object", description="Fields of every scene: duration_s, fps, flow_per_min…"),
        "detector": Param("yolo", enum=["yolo", "hog", "oracle", "noisy-oracle"]),
        "detector_params": Param({}, type="object"),
        "tracker": Param("bytetrack", enum=["bytetrack", "sort", "oc-sort"]),
        "presets": Param([], type="array", description="Presets of rules; without any, those of the command line"),
        "seed": Param(1, type="integer", minimum=0),
    },
    doc_md=__doc__,
)
def vsa_batch() -> None:
    """Render the cameras, watch each, score them, gather."""

    @task
    def begin() -> str:
        from contrechamp.pipelines import vsa_steps

        context = get_current_context()
        params, now = context["params"], context["dag_run"].run_after.astimezone(pendulum.UTC)
        plan = vsa_steps.plan_for(
            params["detector"], detector_params=params["detector_params"], tracker=params["tracker"],
            presets=params["presets"], seed=params["seed"],
        )  # fmt: skip
        return str(vsa_steps.begin(Path(params["out"]) / f"{now:%Y%m%dT%H%M%SZ}-vsa", plan))

    @task
    def cameras(work: str) -> list[str]:
        from contrechamp.pipelines import vsa_render

        params = get_current_context()["params"]
        folder = Path(params["out"]) / f"{Path(work).stem}-clips"
        return params["clips"] or vsa_render.write_plan(
            params["scenes"], folder, seed=params["seed"], fields=params["scene"]
        )

    def told(step: Any, *arguments: Any) -> str:
        """Run a step; what the data refuse is not tried again, a person has to look."""
        from contrechamp.domain.errors import ContrechampError

        try:
            return str(step(*arguments))
        except ContrechampError as refused:
            raise AirflowFailException(str(refused)) from None

    @task_group
    def camera(source: str, work: str) -> None:
        @task(map_index_template="{{ camera }}")
        def render(source: str, work: str) -> str:
            from contrechamp.pipelines import vsa_steps

            get_current_context()["camera"] = Path(source).stem
            return told(vsa_steps.render_camera, Path(work), source)

        @task
        def detect(source: str, work: str) -> str:
            from contrechamp.pipelines import vsa_steps

            return told(vsa_steps.detect_camera, Path(work), source)

        @task
        def track(name: str, work: str) -> str:
            from contrechamp.pipelines import vsa_steps

            return told(vsa_steps.track_camera, Path(work), name)

        @task
        def rules(name: str, work: str) -> str:
            from contrechamp.pipelines import vsa_steps

            return told(vsa_steps.flag_camera, Path(work), name)

        @task
        def score(name: str, work: str) -> str:
            from contrechamp.pipelines import vsa_score_run

            return told(vsa_score_run.score_camera, Path(work), name)

        score(rules(track(detect(render(source, work), work), work), work), work)

    @task(outlets=[RUNS], trigger_rule="all_done")
    def gather(work: str) -> str:
        from contrechamp.domain.errors import ContractError
        from contrechamp.pipelines import vsa_batch, vsa_score_run

        done = vsa_batch.gather(Path(work), also=vsa_score_run.pool_cameras)
        counts = done.cameras["status"].value_counts().to_dict()
        get_current_context()["outlet_events"][RUNS].extra = {"run": done.folder.name, **counts}
        try:
            done.check()
        except ContractError as refused:
            raise AirflowFailException(str(refused)) from None
        return str(done.folder)

    work = begin()
    watched = camera.partial(work=work).expand(source=cameras(work))
    watched >> gather(work)


vsa_batch()
