"""Registry of models: the fitted predictors of a backtest kept in MLflow, one of them called champion by a stated rule.

The rule looks at records, because records are all a city can see; what the same map did on latent incidents is written
beside it, because a simulation knows. Models are stored as parameters and arrays (:mod:`models.storage`), never as a
pickle, and read back only if every digest matches.

What it cannot tell you: a champion is the best of those entered, on those days, at foretelling *recording*. It was
chosen after the fact among several, so its gain on the very days that chose it is flattering; and a map that foretells
records best may foretell what happens to people worse than another. The tag ``truth`` says which, where it is known.
"""

from __future__ import annotations

import platform
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from contrechamp import __version__
from contrechamp.domain.errors import ContractError, IntegrityError, ParameterError
from contrechamp.domain.protocols import Progress, silent
from contrechamp.domain.results import Outcome, Result, Scalar
from contrechamp.domain.text import Text
from contrechamp.pipelines.backtest import BASELINE
from contrechamp.pipelines.backtest_inputs import EVALUATED_DAYS
from contrechamp.pipelines.hotspot import backtest_lake
from contrechamp.pipelines.tracking import MODEL_FOLDER, check_address, log_backtest, reached, runs_by_predictor
from contrechamp.store.files import write_bytes
from models import load_predictor
from models.base import BasePredictor
from models.storage import ARRAYS, MAX_ARRAYS_BYTES, PARAMS, describe, dumps, loads

#: Name of the registered model; its versions are predictors.
MODEL_NAME: Final = "contrechamp-hotspot"
#: Alias of the version in use.
CHAMPION: Final = "champion"
#: What the rule compares: information gained on the place over the baseline, a paired difference.
MEASURE: Final = "log_gain"

RULE: Final = Text(
    fr="Le champion est le prédicteur dont le gain d’information sur le lieu, mesuré sur les enregistrements par "
    "différence appariée avec la moyenne de 52 semaines, est le plus grand parmi ceux dont l’intervalle est tout "
    "entier au-dessus de 0 ; s’il n’y en a pas, c’est la moyenne de 52 semaines.",
    en="The champion is the predictor whose information gained on the place, measured on records as a paired "
    "difference from the 52-week mean, is largest among those whose whole interval is above 0; if there is none, it is "
    "the 52-week mean.",
)


@dataclass(frozen=True, slots=True)
class Champion:
    """Who the rule names, and what is known of it.

    Attributes
    ----------
    key : str
        Predictor.
    on_records, on_truth : Result or None
        Its gain on what a city sees, and on what happened; None for the baseline itself, or where it was not measured.
    best_on_truth : str
        Whom the same rule would name on truth; empty where truth is not known.
    said : Text
        The choice in words, with both figures.
    """

    key: str
    on_records: Result | None
    on_truth: Result | None
    best_on_truth: str
    said: Text


@dataclass(frozen=True, slots=True)
class Published:
    """What :func:`publish` left in the registry.

    Attributes
    ----------
    run_id : str
        Parent run of the backtest.
    versions : mapping of str to int
        Version of the registered model, by predictor.
    champion : Champion
    """

    run_id: str
    versions: Mapping[str, int]
    champion: Champion


def choose_champion(results: Sequence[Result], *, among: Sequence[str] | None = None) -> Champion:
    """Apply :data:`RULE`.

    Parameters
    ----------
    results : sequence of Result
        Of a backtest.
    among : sequence of str, optional
        Predictors that may be named, beside the baseline; all those measured where left out.

    Returns
    -------
    Champion
        Ties go to the name that comes first.
    """
    gains: dict[str, dict[str, Result]] = {"records": {}, "truth": {}}
    for r in results:
        world = dict(r.world)
        kind, key = world.get("scored_on"), str(world.get("predictor", ""))
        paired = r.measure == MEASURE and set(world) == {"predictor", "scored_on"} and kind in gains
        if paired and (among is None or key in among):
            gains[str(kind)][key] = r
    key = _best(gains["records"])
    on_records, on_truth = gains["records"].get(key), gains["truth"].get(key)
    best_on_truth = _best(gains["truth"]) if gains["truth"] else ""
    return Champion(key, on_records, on_truth, best_on_truth, _said(key, on_records, on_truth, best_on_truth))


def publish(
    outcome: Outcome, predictors: Mapping[str, BasePredictor], *, run_name: str, params: Mapping[str, Scalar],
    tracking_uri: str,
) -> Published:  # fmt: skip
    """Log a backtest with its fitted predictors, register each, and give the alias to the champion.

    Parameters
    ----------
    outcome : Outcome
        Of :func:`contrechamp.pipelines.backtest.backtest`.
    predictors : mapping of str to BasePredictor
        Fitted on what the file knows now, by the key the backtest knows them by. The baseline must be one of them.
    run_name, params, tracking_uri
        See :func:`contrechamp.pipelines.tracking.log_backtest`.

    Raises
    ------
    ParameterError
        If the baseline is not among the predictors, one was not scored or is not fitted, or the address is refused.
    CapabilityError
        If the store cannot be reached.
    """
    scored = {str(r.world["predictor"]) for r in outcome.results if "predictor" in r.world}
    absent = sorted(set(predictors) - scored)
    if BASELINE not in predictors or absent:
        raise ParameterError(
            f"A registry takes the fitted predictors of one backtest, {BASELINE} among them. Got "
            f"{', '.join(sorted(predictors)) or 'none'}; not scored by this backtest: {', '.join(absent) or 'none'}."
        )
    versions = {"contrechamp": __version__, "python": platform.python_version()}
    files = {key: dumps(one, versions=versions) for key, one in predictors.items()}
    champion = choose_champion(outcome.results, among=tuple(predictors))
    run_id = log_backtest(
        outcome, run_name=run_name, params=params, models=files, tracking_uri=tracking_uri,
        predictor_params={key: one.get_params() for key, one in predictors.items()},
    )  # fmt: skip
    with reached(tracking_uri, where="publish") as client:
        _ensure_model(client)
        runs = runs_by_predictor(client, run_id)
        numbers = {
            key: _register(client, runs[key], key, files[key], outcome.results, champion) for key in sorted(predictors)
        }
        client.set_registered_model_alias(MODEL_NAME, CHAMPION, str(numbers[champion.key]))
    return Published(run_id, numbers, champion)


def publish_lake(
    source: str, *, predictors: Sequence[str], tracking_uri: str, city: Path | None = None, days: int = EVALUATED_DAYS,
    seed: int, jobs: int = 1, progress: Progress = silent,
) -> Published:  # fmt: skip
    """Backtest predictors on a lake, fit each on all of it, and :func:`publish` them.

    Parameters
    ----------
    source, city, days, seed, jobs, progress
        See :func:`contrechamp.pipelines.hotspot.backtest_lake`.
    predictors : sequence of str
        Keys of :data:`models.PREDICTORS`; the baseline is added where it is not one of them.
    tracking_uri : str
        See :func:`contrechamp.pipelines.tracking.log_backtest`.

    Raises
    ------
    ParameterError, ContractError, CapabilityError
        As those functions.
    """
    check_address(tracking_uri, where="publish_lake")  # before minutes of work
    keys = tuple(dict.fromkeys([BASELINE, *predictors]))
    outcome, given = backtest_lake(
        source, city=city, predictors=keys, days=days, seed=seed, jobs=jobs, progress=progress
    )
    seen = given.log.until(given.n_days)
    fitted = {key: load_predictor(key).fit(seen, grid=given.grid, covariates=given.covariates) for key in keys}
    params: dict[str, Scalar] = {"seed": seed, "days": days, "stream": given.stream, "n_cells": given.grid.n_cells}
    return publish(outcome, fitted, run_name=f"hotspot-{seed}", params=params, tracking_uri=tracking_uri)


def load_version(tracking_uri: str, *, version: int | None = None) -> BasePredictor:
    """Read a predictor back from the registry: the champion, or a numbered version.

    Raises
    ------
    ContractError
        If there is no such version, or its files are not a stored predictor.
    IntegrityError
        If its files are not those that were registered.
    CapabilityError, ParameterError
        If the store cannot be reached, or its address is refused.
    """
    from mlflow.exceptions import MlflowException

    with reached(tracking_uri, where="load_version") as client:
        try:
            found = (
                client.get_model_version_by_alias(MODEL_NAME, CHAMPION)
                if version is None
                else client.get_model_version(MODEL_NAME, str(version))
            )
        except MlflowException as cause:
            if cause.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                raise
            what = f"alias {CHAMPION!r}" if version is None else f"version {version}"
            raise ContractError(
                f"The registry holds no model {MODEL_NAME!r} with {what}. Publish a backtest first."
            ) from cause
        with tempfile.TemporaryDirectory(prefix="contrechamp-model-") as folder:
            files = _read(Path(client.download_artifacts(found.run_id, MODEL_FOLDER, folder)))
    registered = str(found.tags.get("params_sha256", ""))
    if describe(files)["sha256"] != registered:
        raise IntegrityError(
            f"Version {found.version} of {MODEL_NAME} was registered with other files: the SHA-256 written down is "
            f"{registered or 'none'}. Publish the backtest again."
        )
    return loads(files)


def save(predictor: BasePredictor, folder: Path) -> None:
    """Write a fitted predictor to a folder as ``params.json`` and ``arrays.npz``, each whole or not at all.

    Raises
    ------
    ParameterError
        See :func:`models.storage.dumps`.
    """
    for name, data in dumps(predictor, versions={"contrechamp": __version__}).items():
        write_bytes(folder / name, data)


def load(folder: Path) -> BasePredictor:
    """Read a predictor written by :func:`save`.

    Raises
    ------
    ContractError, IntegrityError, ParameterError
        See :func:`models.storage.loads`.
    """
    return loads(_read(folder))


def _read(folder: Path) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for name in (PARAMS, ARRAYS):
        path = folder / name
        if path.is_symlink() or not path.is_file():
            raise ContractError(f"{path} is missing or is no plain file. A stored predictor is {PARAMS} and {ARRAYS}.")
        if path.stat().st_size > MAX_ARRAYS_BYTES:
            raise ContractError(f"{path} is larger than the {MAX_ARRAYS_BYTES} bytes that are read.")
        files[name] = path.read_bytes()
    return files


def _best(gains: Mapping[str, Result]) -> str:
    above = {
        key: r.interval.estimate
        for key, r in sorted(gains.items())
        if r.interval.estimate is not None and r.interval.low is not None and r.interval.low > 0
    }
    return max(above, key=lambda key: above[key], default=BASELINE)


def _ensure_model(client: Any) -> None:
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(MODEL_NAME, description=f"{RULE.fr}\n\n{RULE.en}")
    except MlflowException as cause:
        if cause.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _register(
    client: Any, run_id: str, key: str, files: Mapping[str, bytes], results: Sequence[Result], champion: Champion
) -> int:
    record = describe(files)
    tags = {
        "predictor": key, "params_sha256": record["sha256"], "arrays_sha256": record["arrays_sha256"],
        "n_days": str(record["n_days"]), "rule_fr": RULE.fr, "rule_en": RULE.en,
    }  # fmt: skip
    for r in results:
        if r.measure == MEASURE and r.world.get("predictor") == key and set(r.world) == {"predictor", "scored_on"}:
            tags[str(r.world["scored_on"])] = _figure(r)["en"]
    chosen = champion.key == key
    made = client.create_model_version(
        MODEL_NAME, source=f"{client.get_run(run_id).info.artifact_uri}/{MODEL_FOLDER}", run_id=run_id, tags=tags,
        description=f"{champion.said.fr}\n\n{champion.said.en}" if chosen else None,
    )  # fmt: skip
    return int(made.version)


def _figure(result: Result | None) -> dict[str, str]:
    if result is None or not result.interval.estimable:
        return {"fr": "non mesuré", "en": "not measured"}
    i = result.interval
    text = f"{i.estimate:+.4f} nat [{i.low:+.4f}, {i.high:+.4f}]"
    return {"fr": f"{text.replace(',', ' ;').replace('.', ',')}, {i.n} jours", "en": f"{text}, {i.n} days"}


def _said(key: str, on_records: Result | None, on_truth: Result | None, best_on_truth: str) -> Text:
    records, truth = _figure(on_records), _figure(on_truth)
    if not best_on_truth:
        fr, en = "La vérité n’est pas connue ici.", "Truth is not known here."
    elif best_on_truth == key:
        fr, en = "La même règle l’aurait choisi sur la vérité.", "The same rule would have chosen it on truth."
    else:
        fr = f"Sur la vérité, la même règle aurait choisi {best_on_truth}."
        en = f"On truth, the same rule would have chosen {best_on_truth}."
    if key == BASELINE:
        return Text(
            fr=f"Aucun prédicteur ne gagne sur {BASELINE}, sur les enregistrements : il reste champion. {fr}",
            en=f"No predictor gains over {BASELINE} on records: it remains champion. {en}",
        )
    return Text(
        fr=f"{key} : gain par enregistrement {records['fr']} ; par incident réel {truth['fr']}. {fr} Choisi après coup "
        "sur ces mêmes jours : ce gain est flatteur.",
        en=f"{key}: gain per record {records['en']}; per latent incident {truth['en']}. {en} Chosen after the fact on "
        "these very days: this gain is flattering.",
    )
