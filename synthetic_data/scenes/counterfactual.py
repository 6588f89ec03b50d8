"""Twins: one scene played twice, the same steps, place, light and stays, only what a person is shown as changed.

What differs between a machine's answers to the two is owed to the body and the situation, and to nothing else.

What it cannot tell you: a person lying where someone stood is a question put to a machine, not something seen.
"""

from __future__ import annotations

from dataclasses import replace

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.video import SITUATION
from synthetic_data.scenes.scripts import clip_meta, write_script
from synthetic_data.scenes.spec import SceneSpec, Script


def counterfactual(spec: SceneSpec, situation_from: str, situation_to: str) -> tuple[Script, Script]:
    """The scene as it is, and with everyone in one situation shown in another.

    Parameters
    ----------
    spec : SceneSpec
        Swaps already in it hold in both.
    situation_from, situation_to : str
        Keys of :data:`contrechamp.domain.situations.SITUATIONS`.

    Returns
    -------
    before, after : Script
        Positions, headings, speeds, stays, crossings and everyone else are the same; situation, height, accessories and
        postures of those concerned are not. Falls go with the situation. Bags stay where they were put. The clip
        identifier of the second ends with the two situations.

    Raises
    ------
    ParameterError
        If the two are the same, the first is swapped already, or nobody in the cast is in it.
    """
    if situation_from == situation_to or situation_from in dict(spec.swap):
        raise bad_parameter(
            name="situation_from", where="counterfactual", must="another situation than situation_to, not yet swapped",
            got=(situation_from, situation_to, spec.swap),
        )  # fmt: skip
    swapped = replace(spec, swap=(*spec.swap, (situation_from, situation_to)))
    before, after = write_script(spec), write_script(swapped)
    if situation_from not in set(before.subjects[SITUATION]):
        raise bad_parameter(
            name="situation_from", where="counterfactual", must="a situation that someone of the scene is in",
            got=situation_from, remedy="Add it to the cast.",
        )  # fmt: skip
    twin = f"{after.meta.clip_id}-{situation_from}-{situation_to}"
    return before, replace(after, meta=clip_meta(swapped, clip_id=twin))
