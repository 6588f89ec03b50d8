"""Clothes and colours of a body, from a seed.

Colours come from the seed by integer hash and stand for nothing: two situations may share or swap them.

What it cannot tell you: no age, no sex, no origin is drawn.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from synthetic_data.scenes.raycaster import F64, mix

#: Colours of clothes, sRGB in [0, 255].
_CLOTHES: Final = np.array([
    (28, 30, 36), (44, 48, 58), (72, 76, 84), (120, 122, 124), (176, 174, 168), (222, 218, 208), (238, 236, 230),
    (24, 38, 74), (38, 66, 118), (78, 118, 168), (146, 178, 206), (30, 74, 62), (62, 92, 58), (112, 122, 70),
    (150, 40, 42), (186, 70, 54), (206, 128, 62), (214, 176, 84), (116, 66, 44), (160, 122, 86), (198, 168, 130),
    (92, 44, 74), (142, 98, 138), (204, 150, 160),
])  # fmt: skip
_TROUSERS: Final = np.array([
    (26, 28, 34), (40, 42, 50), (34, 46, 78), (52, 72, 110), (84, 104, 136), (88, 88, 86), (126, 114, 94),
    (170, 152, 122), (74, 62, 50), (62, 74, 58),
])  # fmt: skip
_SKINS: Final = np.array(
    [(240, 205, 180), (224, 182, 150), (198, 150, 116), (164, 118, 86), (124, 84, 60), (86, 58, 42)]
)
_HAIRS: Final = np.array([(26, 22, 20), (44, 32, 26), (82, 56, 38), (128, 92, 58), (186, 152, 100), (150, 146, 142)])
_SHOES: Final = np.array([(22, 22, 24), (58, 42, 32), (200, 198, 192), (70, 74, 84)])
_THINGS: Final = np.array([(34, 36, 42), (96, 40, 44), (40, 70, 96), (112, 84, 54), (70, 88, 66), (150, 120, 60)])
_HI_VIS_COLOURS: Final = np.array([(226, 236, 40), (244, 128, 30)])

#: Columns of an appearance: colours (linear) by part, then marks of cut.
TOP, BOTTOM, SKIN, HAIR, SHOE, THING, EXTRA = 0, 3, 6, 9, 12, 15, 18
SHORT_SLEEVES, LONG_HAIR, HAT, SKIRT, COAT, BEAT = range(21, 27)
APPEARANCE_COLUMNS: Final = 27


def _linear(colours: npt.NDArray[np.generic]) -> F64:
    return np.asarray((np.asarray(colours, dtype=np.float64) / 255.0) ** 2)


def appearance(seed: int, *, hi_vis: bool = False) -> F64:
    """Colours and cut of one body.

    Parameters
    ----------
    seed : int
        The only source; the same seed dresses any body the same way.
    hi_vis : bool, default=False
        Wear the vest over the clothes.

    Returns
    -------
    ndarray of shape (27,)
    """
    state = mix((seed & 0xFFFFFFFF) ^ ((seed >> 32) & 0xFFFFFFFF))

    def draw(n: int) -> int:
        nonlocal state
        state = mix((state + 0x9E3779B9) & 0xFFFFFFFF)
        return (state >> 8) % n

    look = np.zeros(APPEARANCE_COLUMNS)
    for at, palette in (
        (TOP, _CLOTHES), (BOTTOM, _TROUSERS), (SKIN, _SKINS), (HAIR, _HAIRS), (SHOE, _SHOES), (THING, _THINGS),
        (EXTRA, _CLOTHES),
    ):  # fmt: skip
        bright = 0.85 + 0.3 * draw(256) / 255.0
        look[at : at + 3] = np.minimum(_linear(palette[draw(len(palette))]) * bright, 0.92)
    look[SHORT_SLEEVES] = draw(3) == 0
    look[LONG_HAIR] = draw(5) < 2
    look[HAT] = draw(6) == 0
    look[SKIRT] = draw(7) == 0
    look[COAT] = draw(4) == 0 and not look[SHORT_SLEEVES]
    look[BEAT] = draw(1000) / 1000.0
    if hi_vis:
        look[TOP : TOP + 3] = _linear(_HI_VIS_COLOURS[draw(2)])
        look[COAT] = look[SKIRT] = 0.0
    return look
