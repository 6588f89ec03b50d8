"""``contrechamp vsa``: draw scenes, train, watch them, and count who pays for the alerts."""

from __future__ import annotations

import dataclasses
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from contrechamp.cli._common import emit, emit_table, parse_sets, progress_bar, say, workers

if TYPE_CHECKING:
    from contrechamp.pipelines.vsa_foreign import ForeignScores
    from contrechamp.store.clips import Clip

app = typer.Typer(
    help="La vidéosurveillance algorithmique, sur des scènes dont la vérité est connue. (Video analytics, on scenes "
    "whose truth is known; there is no live-camera mode.)",
    no_args_is_help=True,
)

Pictures = Annotated[
    bool, typer.Option("--pictures/--no-pictures", help="Planche-contact de chaque scène. (Contact sheet of each.)")
]
Language = Annotated[Literal["fr", "en"], typer.Option("--lang", help="Langue des images. (Language of pictures.)")]
Json = Annotated[bool, typer.Option("--json")]
Jobs = Annotated[int | None, typer.Option(min=1, help="Scènes à la fois. (Scenes at a time.)")]
Preset = Annotated[
    list[str] | None,
    typer.Option(
        metavar="CLEF", help="Réglage, à répéter : `contrechamp vsa rules`. (Preset, repeat; all: every one.)"
    ),
]


@app.command("render")
def render(
    out: Annotated[Path, typer.Option(help="Dossier des clips, un sous-dossier par scène. (Folder of clips.)")],
    place: Annotated[
        list[str] | None, typer.Option(help="plaza, hall, corner, school, market ; à répéter. (Place, repeat.)")
    ] = None,
    light: Annotated[
        list[str] | None, typer.Option(help="day, dusk, night, glare ; à répéter. (Light, repeat.)")
    ] = None,
    scenes: Annotated[int, typer.Option(min=1, help="Nombre de caméras. (Number of cameras.)")] = 1,
    cast: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SITUATION=N", help="Qui est là : waiting=2, à répéter ; sinon une distribution variée. (Cast.)"
        ),
    ] = None,
    swap: Annotated[
        list[str] | None,
        typer.Option(
            metavar="A:B",
            help="Contrefactuel : la scène, puis son double où les corps A sont des corps B. (Counterfactual double.)",
        ),
    ] = None,
    seconds: Annotated[float | None, typer.Option(help="Durée de chaque clip, 60 s. (Length.)")] = None,
    fps: Annotated[float | None, typer.Option(help="Images par seconde, 10. (Frames a second.)")] = None,
    seed: Annotated[int, typer.Option(min=0, help="De la première scène. (Of the first scene.)")] = 1,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="Autre champ de la scène : rain=0.5, flow_per_min=30, dwell_s=60:600… (Another field.)"
        ),
    ] = None,
    pictures: Pictures = True,
    lang: Language = "fr",
    jobs: Jobs = None,
    as_json: Json = False,
) -> None:
    """Écrire et dessiner des scènes, avec leur vérité exacte. (Write and draw scenes, with their exact truth.)

    Chaque clip : clip.mp4, sidecar.json (ce que sait l'installateur), truth/ (ce qui s'est passé, MOT, COCO, YOLO).
    """
    from contrechamp.pipelines import vsa_render as pipeline
    from synthetic_data.scenes.spec import LIGHTS, PLACES

    common: dict[str, Any] = _fields(parse_sets(set_ or ()))
    common |= {k: v for k, v in (("duration_s", seconds), ("fps", fps)) if v is not None}
    if cast:
        common["cast"] = tuple(_pair(text, "=", "--cast", "waiting=2", int) for text in cast)
    plan = pipeline.default_plan(
        scenes, seed=seed, places=tuple(place or PLACES[: 1 if scenes == 1 else None]), lights=tuple(light or LIGHTS),
        **common,
    )  # fmt: skip
    plan = pipeline.with_swaps(plan, [_pair(text, ":", "--swap", "waiting:vendor", str) for text in swap or ()])
    with progress_bar(1) as (progress, advance):
        advance("vsa render")
        clips = pipeline.render_scenes(plan, out, jobs=workers(jobs), progress=progress)
    sheets = [_sheet(clip, lang) for clip in clips] if pictures else []
    if as_json:
        emit([
            {"clip": c.meta.clip_id, "folder": str(c.folder), "frames": c.meta.n_frames, "seconds": c.meta.duration_s,
             "sha256": c.files["clip.mp4"][1]} for c in clips
        ])  # fmt: skip
        return
    rows = [(c.meta.clip_id, c.meta.n_frames, f"{c.meta.duration_s:g}", str(c.folder)) for c in clips]
    emit_table(rows, ("clip", "images (frames)", "s", "dossier (folder)"))
    for sheet in sheets:
        say(f"Planche (sheet) : {sheet}")


@app.command("train")
def train(
    out: Annotated[Path, typer.Option(help="Dossier à créer : poids, manifeste, mesures. (Folder to create.)")],
    images: Annotated[int | None, typer.Option(min=1, help="Images d'apprentissage dessinées. (Stills drawn.)")] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Passages sur chacune. (Epochs.)")] = None,
    imgsz: Annotated[int | None, typer.Option(help="Côté d'une image, pixels. (Side of a still.)")] = None,
    device: Annotated[Literal["auto", "cpu", "cuda"], typer.Option()] = "auto",
    seed: Annotated[int | None, typer.Option(min=0)] = None,
    start: Annotated[
        Path | None, typer.Option(help="Dossier de poids d'où repartir. (Folder of weights to go on from.)")
    ] = None,
    tracking: Annotated[
        str | None, typer.Option(envvar="MLFLOW_TRACKING_URI", help="Registre MLflow. (MLflow store.)")
    ] = None,
    jobs: Jobs = None,
    as_json: Json = False,
) -> None:
    """Apprendre un détecteur sur des images dessinées ici, sans rien télécharger. (Train on stills drawn here.)"""
    from contrechamp.domain.provenance import plain
    from contrechamp.pipelines.vsa_training import train_detector

    given: dict[str, Any] = {
        "images": images, "epochs": epochs, "imgsz": imgsz, "seed": seed, "start": start, "tracking_uri": tracking,
    }  # fmt: skip
    with progress_bar(1) as (progress, advance):
        advance("vsa train")
        report = train_detector(
            out, device=device, jobs=workers(jobs), progress=progress,
            **{k: v for k, v in given.items() if v is not None},
        )  # fmt: skip
    rows = report.scores.to_dict("records")
    if as_json:
        emit(plain({"folder": str(report.folder), "manifest": report.manifest, "scores": rows}))
        return
    emit_table(
        [(r["stills"], r["label"], r["key"], r["n_boxes"], _share(r, "ap50"), _share(r, "recall")) for r in rows],
        ("images (stills)", "classe (label)", "situation", "n", "AP50 [95 %]", "rappel (recall) [95 %]"),
    )
    say(f"Écrit (written) : {report.folder}. Pour s'en servir (to use it) : vsa detect --set weights={report.folder}")


@app.command("detect")
def detect(
    clips: Annotated[list[str], typer.Argument(metavar="CLIP…", help="Dossiers de clips, ou dossier qui en contient.")],
    out: Annotated[
        Path, typer.Option(help="Dossier à créer : détections, pistes, alertes, traces. (Folder to create.)")
    ],
    detector: Annotated[str, typer.Option(metavar="CLEF", help="`contrechamp vsa detectors`. (Detector.)")] = "yolo",
    tracker: Annotated[str, typer.Option(metavar="CLEF", help="bytetrack, sort, oc-sort. (Tracker.)")] = "bytetrack",
    preset: Preset = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Paramètre du détecteur : clef=valeur. (Of the detector.)")
    ] = None,
    tracker_set: Annotated[
        list[str] | None, typer.Option("--tracker-set", help="Paramètre du suiveur : clef=valeur. (Of the tracker.)")
    ] = None,
    batch: Annotated[int, typer.Option(min=1, help="Images à la fois, toutes caméras. (Frames at a time.)")] = 16,
    seed: Annotated[int, typer.Option(min=0, help="De noisy-oracle. (Of noisy-oracle.)")] = 0,
    pictures: Annotated[
        bool, typer.Option("--pictures", help="Clip annoté et planche des alertes. (Annotated clip, sheet of alerts.)")
    ] = False,
    lang: Language = "fr",
    jobs: Jobs = None,
    as_json: Json = False,
) -> None:
    """Détecter, suivre, alerter. (Detect, track, flag.)

    Une caméra illisible est nommée et les autres finissent, code 11. (A camera that fails is named, the others finish.)
    Une source sans vérité (caméra, flux, vidéo seule) est refusée : on n'y saurait pas sur qui tombe une alerte.
    """
    from contrechamp.pipelines import vsa_batch as pipeline
    from contrechamp.pipelines.vsa_steps import plan_for
    from contrechamp.store.clips import find_clips

    plan = plan_for(
        detector, presets=preset or (), tracker=tracker, detector_params=_values(parse_sets(set_ or ())),
        tracker_params=_values(parse_sets(tracker_set or ())), seed=seed,
    )  # fmt: skip
    with progress_bar(1) as (progress, advance):
        advance("vsa detect")
        done = pipeline.run_batch(
            find_clips(clips), out, plan=plan, batch=batch, jobs=workers(jobs), progress=progress
        )  # fmt: skip
    if pictures:
        for path in _annotate(done.folder, lang):
            say(f"Image (picture) : {path}")
    if as_json:
        emit({"run": str(done.folder), "cameras": done.cameras.astype(object).where(done.cameras.notna(), None)
              .to_dict("records")})  # fmt: skip
    else:
        shown = ("clip_id", "status", "n_frames", "n_detections", "n_tracks", "n_alerts")
        emit_table(
            [tuple("-" if v is None or v != v else v for v in (r[c] for c in shown))
             for r in done.cameras.astype(object).where(done.cameras.notna(), None).to_dict("records")],
            ("caméra (camera)", "état (status)", "images (frames)", "boîtes (boxes)", "lignes de piste (track rows)",
             "alertes (alerts)"),
        )  # fmt: skip
        say(f"Écrit (written) : {done.folder}. Sur qui (on whom) : contrechamp vsa score {done.folder}")
    done.check()


@app.command("score")
def score(
    run: Annotated[
        Path | None,
        typer.Argument(metavar="[DOSSIER]", help="Dossier de `vsa detect`, ou rien avec --tracks, --alerts."),
    ] = None,
    tracks: Annotated[
        Path | None, typer.Option(help="Pistes de n'importe qui : MOT (.txt) ou CSV. (Anybody's tracks.)")
    ] = None,
    alerts: Annotated[Path | None, typer.Option(help="Alertes de n'importe qui : CSV. (Anybody's alerts.)")] = None,
    truth: Annotated[
        str | None, typer.Option(metavar="CLIP|FICHIER", help="Leur vérité : clip, gt.txt (MOT) ou CSV. (Their truth.)")
    ] = None,
    fps: Annotated[float | None, typer.Option(help="Images par seconde d'une vérité en fichier. (Of a file.)")] = None,
    preset: Preset = None,
    clips: Annotated[
        Path | None, typer.Option(help="Où sont les clips, s'ils ont été déplacés. (Where the clips are now.)")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Des tirages de scènes. (Of the draws of scenes.)")] = 0,
    jobs: Jobs = None,
    out: Annotated[Path | None, typer.Option(help="Dossier à créer : scores.json, tables. (Folder to create.)")] = None,
    as_json: Json = False,
) -> None:
    """Compter ce qui est trouvé, manqué, inventé, et sur qui. (Count what is found, missed, invented, and on whom.)

    Trois échelons : pistes vraies, boîtes vraies, machine. Le premier est le fardeau de la règle elle-même. (Three
    rungs; the first is the burden of the rule itself.)
    """
    from contrechamp.cli import _vsa_tables as tables
    from contrechamp.domain.errors import ParameterError
    from contrechamp.domain.provenance import plain
    from contrechamp.pipelines import vsa_foreign, vsa_score_run
    from contrechamp.pipelines.vsa import CANNOT_TELL
    from contrechamp.pipelines.vsa_steps import plan_for

    foreign = tracks is not None or alerts is not None
    if foreign == (run is not None) or foreign != (truth is not None):
        raise ParameterError(
            "Give either the folder of a `contrechamp vsa detect`, or --tracks and/or --alerts with --truth. "
            f"Got {'a folder' if run else 'no folder'}, {'files' if foreign else 'no file'}, "
            f"{'a truth' if truth else 'no truth'}."
        )
    vsa_score_run.check_new(out)
    given: ForeignScores | None = None
    with progress_bar(1) as (progress, advance):
        advance("vsa score")
        if run is not None:
            scores = vsa_score_run.score_run(run, clips=clips, seed=seed, jobs=workers(jobs), progress=progress)
        else:
            chosen = plan_for("oracle", presets=preset or ()).presets if preset or alerts is None else ()
            given = vsa_foreign.score_given(
                vsa_foreign.read_given_truth(str(truth), fps=fps), presets=chosen, tracks=tracks, alerts=alerts,
                seed=seed,
            )  # fmt: skip
            scores = vsa_foreign.whole(given)
    if as_json:
        emit(plain({**scores.to_dict(), **(vsa_foreign.reading(given) if given else {}),
                    "limits": {"fr": CANNOT_TELL.fr, "en": CANNOT_TELL.en}}))  # fmt: skip
    else:
        tables.print_scores(scores)
        if given is not None:
            said = vsa_foreign.told(given)
            say(f"{said.fr} ({said.en})")
        say(f"{CANNOT_TELL.fr} ({CANNOT_TELL.en})")
    if out is not None:
        inputs = [p for p in (run, tracks, alerts) if p is not None]
        say(f"Écrit (written) : {vsa_score_run.write_scores(scores, out, inputs=inputs, truth=truth, seed=seed)}")


@app.command("rules")
def rules(as_json: Json = False) -> None:
    """Lister les règles et les réglages, chaque paramètre et son unité. (List rules and presets, with units.)"""
    from vsa.rules import describe

    rows = describe()
    if as_json:
        emit(rows)
        return
    for row in rows:
        print(f"{row['key']:<24}{row['label']['fr']}\n{'':24}({row['label']['en']})")
        told = "  ".join(_parameter(p) for p in row["parameters"] if p.get("value", p["default"]) is not None)
        shown = f"{row['rule']} : {told}" if row["kind"] == "preset" else told
        print(textwrap.fill(shown, 100, initial_indent=" " * 26, subsequent_indent=" " * 26, break_on_hyphens=False))
        if row["kind"] == "preset":
            source = f"source : {row['source']} ; inconnu (unknown) : {row['unknown']['fr']}"
            print(textwrap.fill(source, 100, initial_indent=" " * 26, subsequent_indent=" " * 26))


@app.command("detectors")
def detectors(as_json: Json = False) -> None:
    """Lister les détecteurs et leurs paramètres. (List the detectors and their parameters.)"""
    from contrechamp.pipelines.vsa import describe_detectors

    rows = describe_detectors()
    if as_json:
        emit(rows)
        return
    for row in rows:
        print(f"{row['key']:<15}{row['title']['fr']}\n{'':15}({row['title']['en']})")
        told = " ".join(f"{name}={value}" for name, value in row["parameters"].items())
        told += " ; reçoit la vérité (told the truth)" if row["told_the_truth"] else ""
        print(textwrap.fill(told, 100, initial_indent=" " * 17, subsequent_indent=" " * 17, break_on_hyphens=False))


def _share(row: Mapping[Any, Any], name: str) -> str:
    value, low, high = (row[k] for k in (name, f"{name}_low", f"{name}_high"))
    if value != value:
        return "non estimable"
    return f"{value:.3f}" if low != low else f"{value:.3f} [{low:.3f}, {high:.3f}]"


def _parameter(one: Mapping[str, Any]) -> str:
    unit = f" {one['unit']}" if one["unit"] else ""
    return f"{one['name']}={one.get('value', one['default'])}{unit}"


def _sheet(clip: Clip, lang: Literal["fr", "en"]) -> Path:
    from contrechamp.pipelines.vsa_pictures import Overlay, contact_sheet
    from contrechamp.store.clips import read_truth

    out = clip.folder.parent / f"{clip.folder.name}-{lang}.png"
    return contact_sheet(clip, out, overlay=Overlay.of_truth(read_truth(clip)), lang=lang)


def _annotate(run: Path, lang: Literal["fr", "en"]) -> list[Path]:
    """Annotated clip and sheet of alerts of each camera, beside the run (a finished run is never edited)."""
    from contrechamp.pipelines.vsa_batch import read_batch
    from contrechamp.pipelines.vsa_pictures import draw_run

    _, clips, watched = read_batch(run)
    return draw_run(clips, watched, run.with_name(f"{run.name}-pictures"), lang=lang)


def _pair(text: str, mark: str, option: str, example: str, kind: Callable[[str], Any]) -> tuple[str, Any]:
    from contrechamp.domain.errors import ParameterError

    left, _, right = (part.strip() for part in text.partition(mark))
    if left and right:
        try:
            return left, kind(right)
        except ValueError:
            pass
    raise ParameterError(f"The `{option}` option is written {example}. Got {text!r}.")


def _fields(pairs: Mapping[str, str]) -> dict[str, Any]:
    """Fields of a scene from ``--set``; a range is written ``60:600``."""
    from contrechamp.domain.errors import ParameterError
    from synthetic_data.scenes.spec import SceneSpec

    known = {f.name: f for f in dataclasses.fields(SceneSpec)}
    own = ("place", "seed", "light", "cast", "swap")
    out: dict[str, Any] = {}
    for name, text in pairs.items():
        if name not in known or name in own:
            allowed = ", ".join(n for n in known if n not in own)
            raise ParameterError(f"A scene has no field {name!r} to --set. It has {allowed}; the others have options.")
        try:
            parts = [float(x) for x in text.split(":")]
        except ValueError:
            raise ParameterError(f"The field {name} of a scene must be a number. Got {text!r}.") from None
        default = known[name].default
        if isinstance(default, tuple):
            if len(parts) != len(default):
                raise ParameterError(f"The field {name} of a scene must be a range, as 60:600. Got {text!r}.")
            out[name] = tuple(parts)
        elif len(parts) != 1 or (isinstance(default, int) and parts[0] != int(parts[0])):
            raise ParameterError(f"The field {name} of a scene must be a number like {default!r}. Got {text!r}.")
        else:
            out[name] = int(parts[0]) if isinstance(default, int) else parts[0]
    return out


def _values(pairs: Mapping[str, str]) -> dict[str, Any]:
    """Numbers as numbers, a path to weights as a path, the rest as words; who takes them says what is allowed."""

    def read(name: str, text: str) -> Any:
        if name == "weights":
            return Path(text)
        for kind in (int, float):
            try:
                return kind(text)
            except ValueError:
                continue
        return text

    return {name: read(name, text) for name, text in pairs.items()}
