"""Sounds of a street, synthesised: what a sensor is meant to hear, and what merely sounds like it.

Thirteen kinds of sound are made from oscillators and noise, put at a distance and added to traffic; nothing is a
recording and nobody speaks: "speech" is a voiced hum with the rhythm of syllables. Four kinds are those a vendor called
abnormal (screams, spray cans, circular saws, breaking glass); the others share their bands, pitches or onsets.

What it cannot tell you: synthetic timbres test a chain of measurement, not a product. A real detector meets other
sounds, other microphones and walls that echo; which sounds resemble which is designed here, from their physics.

References
----------
.. [1] Salamon, MacConnell, Cartwright, Li & Bello (2017), "Scaper: a library for soundscape synthesis", WASPAA
   (the idea of a soundscape drawn with its annotation; no code of it is used).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.signal

from contrechamp.domain.errors import bad_parameter

Audio = npt.NDArray[np.float32]
Wave = npt.NDArray[np.float64]

RATE_HZ: Final = 16_000
#: Level of the traffic at the sensor, dB; a sound's own level is at one metre and falls by 6 dB a doubling.
BACKGROUND_DB: Final = 55.0
#: Nearest distance drawn.
NEAREST_M: Final = 3.0


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of sound.

    Attributes
    ----------
    abnormal : bool
        Among those a vendor promises to recognise.
    level_db : float
        At one metre (assumption, order of magnitude of its physics).
    duration_s : tuple of float
        Shortest and longest.
    """

    abnormal: bool
    level_db: float
    duration_s: tuple[float, float]


KINDS: Final[Mapping[str, Kind]] = {
    "scream": Kind(True, 92.0, (0.6, 2.0)),
    "spray": Kind(True, 74.0, (0.8, 2.2)),
    "saw": Kind(True, 98.0, (1.0, 2.6)),
    "glass": Kind(True, 90.0, (0.4, 1.0)),
    "speech": Kind(False, 66.0, (1.0, 2.6)),
    "child": Kind(False, 88.0, (0.6, 2.0)),
    "joy": Kind(False, 88.0, (0.5, 1.6)),
    "music": Kind(False, 78.0, (1.5, 2.6)),
    "scooter": Kind(False, 86.0, (1.5, 2.6)),
    "bus_door": Kind(False, 82.0, (0.5, 1.2)),
    "bottles": Kind(False, 86.0, (0.5, 1.5)),
    "horn": Kind(False, 98.0, (0.4, 1.2)),
    "drill": Kind(False, 94.0, (1.0, 2.6)),
}
ABNORMAL: Final = tuple(k for k, v in KINDS.items() if v.abnormal)

#: Ordinary sound → the abnormal one it can be physically the same as.
TWINS: Final[Mapping[str, str]] = {
    "child": "scream", "joy": "scream", "bus_door": "spray", "bottles": "glass", "drill": "saw",
}  # fmt: skip

#: Sounds an hour within reach of one sensor, by ambience, on average over day and night (assumptions, in round numbers:
#: nothing is published). Those of an abnormal kind are lawful ones: building saws, paint, a dropped glass, a scream at
#: play.
AMBIENCES: Final[Mapping[str, Mapping[str, float]]] = {
    "calm": {"speech": 15, "child": 0.5, "joy": 0.5, "music": 1, "scooter": 6, "bus_door": 2, "bottles": 0.2,
             "horn": 0.5, "drill": 0.05, "scream": 0.02, "spray": 0.005, "saw": 0.02, "glass": 0.02},
    "market": {"speech": 150, "child": 6, "joy": 12, "music": 6, "scooter": 25, "bus_door": 15, "bottles": 3,
               "horn": 6, "drill": 0.1, "scream": 0.1, "spray": 0.01, "saw": 0.05, "glass": 0.3},
    "building": {"speech": 40, "child": 2, "joy": 2, "music": 3, "scooter": 15, "bus_door": 6, "bottles": 1,
                 "horn": 3, "drill": 12, "scream": 0.05, "spray": 0.3, "saw": 8, "glass": 0.1},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Soundscapes:
    """Scenes of sound with their exact annotation.

    Attributes
    ----------
    audio : ndarray of shape (n_scenes, n_samples), float32
        Pressure in units of the background's root mean square.
    events : DataFrame
        ``scene, kind, alike, onset_s, offset_s, distance_m, snr_db``: one row a sound, by scene then onset.
    """

    audio: Audio
    events: pd.DataFrame

    @property
    def duration_s(self) -> float:
        """Of each scene."""
        return float(self.audio.shape[1] / RATE_HZ)


def draw_soundscapes(
    *, n_scenes: int, scene_s: float, reach_m: float, rng: np.random.Generator, gap_s: float = 3.0,
    kinds: Sequence[str] = tuple(KINDS), alike_share: float = 0.0,
) -> Soundscapes:  # fmt: skip
    """Draw scenes in which one sound of a kind taken at random begins in every slot of ``gap_s`` seconds.

    Parameters
    ----------
    n_scenes : int
    scene_s : float
        Length of a scene.
    reach_m : float
        Greatest distance; distances are uniform over the disc between :data:`NEAREST_M` and it.
    rng : numpy.random.Generator
    gap_s : float, default=3.0
        Slots may touch, sounds do not overlap: what a sound does to the detector is then told apart.
    kinds : sequence of str
        Which kinds, each as likely. Empty: traffic alone.
    alike_share : float, default=0.0
        Share of the sounds that have a twin (:data:`TWINS`) which are made as their twin is: a scream of joy is a
        scream. Which draws are made does not depend on it but for these sounds.

    Raises
    ------
    ParameterError
        If a kind does not exist, or a length or distance is out of its domain.
    """
    strange = [k for k in kinds if k not in KINDS]
    if strange:
        raise bad_parameter(name="kinds", where="draw_soundscapes", must=f"among {', '.join(KINDS)}", got=strange[0])
    if not reach_m >= NEAREST_M:
        raise bad_parameter(name="reach_m", where="draw_soundscapes", must=f"at least {NEAREST_M} m", got=reach_m)
    if n_scenes < 1 or not scene_s >= gap_s >= 2.8:
        raise bad_parameter(
            name="gap_s", where="draw_soundscapes", must="at least 2.8 s and no longer than a scene, of which there is "
            "at least one", got=(n_scenes, scene_s, gap_s),
        )  # fmt: skip
    n = round(scene_s * RATE_HZ)
    audio = np.stack([_traffic(n, rng) for _ in range(n_scenes)])
    rows: list[tuple[int, str, bool, float, float, float, float]] = []
    for scene in range(n_scenes):
        for slot in range(int(scene_s / gap_s) if kinds else 0):
            kind = kinds[int(rng.integers(len(kinds)))]
            low, high = KINDS[kind].duration_s
            length = float(rng.uniform(low, high))
            onset = slot * gap_s + float(rng.uniform(0.05, gap_s - length - 0.05))
            distance = float(np.sqrt(rng.uniform(NEAREST_M**2, reach_m**2)))
            snr_db = KINDS[kind].level_db - 20 * math.log10(distance) - BACKGROUND_DB + float(rng.normal(0.0, 2.0))
            alike = bool(rng.uniform() < alike_share) and kind in TWINS
            wave = make_sound(TWINS[kind] if alike else kind, duration_s=length, rng=rng)
            start = round(onset * RATE_HZ)
            audio[scene, start : start + len(wave)] += wave * np.float32(10 ** (snr_db / 20))
            rows.append((scene, kind, alike, onset, onset + length, distance, snr_db))
    columns = ["scene", "kind", "alike", "onset_s", "offset_s", "distance_m", "snr_db"]
    types = {"scene": "int64", "kind": "str", "alike": "bool"}
    return Soundscapes(audio, pd.DataFrame(rows, columns=columns).astype(types))


def make_sound(kind: str, *, duration_s: float, rng: np.random.Generator) -> Audio:
    """One sound of root mean square 1, float32, with soft ends of 10 ms.

    Raises
    ------
    ParameterError
        If no kind bears that name.
    """
    if kind not in _MAKERS:
        raise bad_parameter(name="kind", where="make_sound", must=f"among {', '.join(KINDS)}", got=kind)
    t = np.arange(max(round(duration_s * RATE_HZ), 2 * _EDGE)) / RATE_HZ
    wave = _MAKERS[kind](t, rng)
    ramp = np.sin(np.linspace(0, np.pi / 2, _EDGE)) ** 2
    wave[:_EDGE] *= ramp
    wave[-_EDGE:] *= ramp[::-1]
    return np.asarray(wave / max(float(np.sqrt(np.mean(wave**2))), 1e-9), dtype=np.float32)


_EDGE: Final = RATE_HZ // 100


def _traffic(n: int, rng: np.random.Generator) -> Audio:
    """Low-passed noise that swells as vehicles go by, root mean square 1."""
    noise = scipy.signal.lfilter([1.0], [1.0, -0.97], rng.standard_normal(n)) + 0.3 * rng.standard_normal(n)
    knots = rng.normal(0.0, 0.35, size=int(n / RATE_HZ / 2) + 2)
    swell = np.exp(np.interp(np.arange(n), np.linspace(0, n, len(knots)), knots))
    wave = noise * swell
    return np.asarray(wave / np.sqrt(np.mean(wave**2)), dtype=np.float32)


def _voice(t: Wave, pitch_hz: Wave, *, slope: float, rng: np.random.Generator) -> Wave:
    """Harmonics of a gliding pitch, each weaker by ``slope`` powers of its rank."""
    # one turn of phase in single precision: a sine of it costs a fifth, and twelve times an error of 1e-7 is no sound
    phase = ((np.cumsum(pitch_hz) / RATE_HZ) % 1.0).astype(np.float32) * np.float32(2 * np.pi)
    top = float(pitch_hz.max())
    out = np.zeros(len(t), dtype=np.float32)
    for rank in range(1, 13):
        shift = np.float32(rng.uniform(0, 2 * np.pi))
        if top * rank < 0.45 * RATE_HZ:
            out += np.sin(np.float32(rank) * phase + shift) / np.float32(rank**slope)
    return out.astype(np.float64)


def _glide(t: Wave, low: float, high: float, rng: np.random.Generator) -> Wave:
    """A pitch that wanders between two draws of [low, high], with a slight tremor."""
    ends = rng.uniform(low, high, size=3)
    line = np.interp(t, np.linspace(0, t[-1] + 1e-9, 3), ends)
    return np.asarray(line * (1 + 0.02 * np.sin(2 * np.pi * rng.uniform(5, 9) * t)))


def _bursts(t: Wave, rate_hz: float, *, share: float, rng: np.random.Generator) -> Wave:
    """An envelope that opens ``rate_hz`` times a second for ``share`` of the time, smoothed."""
    gate = ((t * rate_hz + rng.uniform()) % 1.0) < share
    return np.asarray(scipy.signal.filtfilt(*scipy.signal.butter(1, 20.0, fs=RATE_HZ), gate.astype(np.float64)))


def _band(t: Wave, low: float, high: float, rng: np.random.Generator) -> Wave:
    """Noise between two frequencies."""
    sos = scipy.signal.butter(2, [low, high], btype="bandpass", fs=RATE_HZ, output="sos")
    return np.asarray(scipy.signal.sosfilt(sos, rng.standard_normal(len(t))))


def _ringing(
    t: Wave, *, hits: int, modes: int, low: float, high: float, decay_s: tuple[float, float],
    rng: np.random.Generator,
) -> Wave:  # fmt: skip
    """Bodies struck ``hits`` times: decaying partials at random frequencies."""
    out = np.zeros_like(t)
    for at in np.sort(rng.uniform(0, 0.7 * t[-1], size=hits)):
        start = int(np.searchsorted(t, at))
        since = t[start : start + round(8 * decay_s[1] * RATE_HZ)] - at
        for _ in range(modes):
            tone = np.sin(2 * np.pi * rng.uniform(low, high) * since + rng.uniform(0, 2 * np.pi))
            out[start : start + len(since)] += rng.uniform(0.3, 1.0) * tone * np.exp(-since / rng.uniform(*decay_s))
    return out


def _scream(t: Wave, rng: np.random.Generator) -> Wave:
    rough = 1 + 0.6 * np.sin(2 * np.pi * rng.uniform(35, 75) * t)  # the roughness that sets screams apart
    return _voice(t, _glide(t, 850, 1600, rng), slope=0.7, rng=rng) * rough + 0.1 * _band(t, 1500, 6000, rng)


def _joy(t: Wave, rng: np.random.Generator) -> Wave:
    rough = 1 + rng.uniform(0, 0.5) * np.sin(2 * np.pi * rng.uniform(30, 70) * t)
    return _voice(t, _glide(t, 400, 1200, rng), slope=0.9, rng=rng) * rough * _bursts(t, 2.0, share=0.8, rng=rng)


def _child(t: Wave, rng: np.random.Generator) -> Wave:
    rough = 1 + rng.uniform(0, 0.5) * np.sin(2 * np.pi * rng.uniform(30, 70) * t)
    return _voice(t, _glide(t, 700, 1600, rng), slope=0.9, rng=rng) * rough * _bursts(t, 3.0, share=0.6, rng=rng)


def _speech(t: Wave, rng: np.random.Generator) -> Wave:
    return _voice(t, _glide(t, 95, 240, rng), slope=1.1, rng=rng) * _bursts(t, rng.uniform(3, 5), share=0.6, rng=rng)


def _music(t: Wave, rng: np.random.Generator) -> Wave:
    root = rng.uniform(110, 330)
    chord = sum(_voice(t, np.full_like(t, root * k), slope=1.5, rng=rng) for k in (1.0, 1.25, 1.5))
    return np.asarray(chord + 2 * _band(t, 60, 200, rng) * _bursts(t, 2.0, share=0.15, rng=rng))


def _scooter(t: Wave, rng: np.random.Generator) -> Wave:
    return _voice(t, _glide(t, 80, 190, rng), slope=0.4, rng=rng) * np.hanning(len(t)) + 0.2 * _band(t, 300, 3000, rng)


def _saw(t: Wave, rng: np.random.Generator) -> Wave:
    whine = _voice(t, np.full_like(t, rng.uniform(420, 620)) * (1 - 0.1 * np.exp(-3 * t)), slope=0.5, rng=rng)
    return whine + _band(t, 2000, 7000, rng) * (1 + 0.3 * np.sin(2 * np.pi * 100 * t))


def _drill(t: Wave, rng: np.random.Generator) -> Wave:
    blows = 0.3 + _bursts(t, rng.uniform(15, 30), share=0.4, rng=rng)
    return _band(t, 500, 5000, rng) * blows + _voice(t, np.full_like(t, rng.uniform(180, 320)), slope=0.6, rng=rng)


def _spray(t: Wave, rng: np.random.Generator) -> Wave:
    return _band(t, 3500, 7500, rng) * (0.1 + _bursts(t, rng.uniform(0.8, 2), share=0.7, rng=rng))


def _bus_door(t: Wave, rng: np.random.Generator) -> Wave:
    return _band(t, rng.uniform(1800, 3500), 7500, rng) * np.exp(-t / rng.uniform(0.2, 0.8))


def _glass(t: Wave, rng: np.random.Generator) -> Wave:
    ring = _ringing(t, hits=6, modes=6, low=2500, high=7500, decay_s=(0.02, 0.12), rng=rng)
    return ring + 0.5 * _band(t, 2000, 7500, rng) * np.exp(-t / 0.08)


def _bottles(t: Wave, rng: np.random.Generator) -> Wave:
    ring = _ringing(t, hits=3, modes=4, low=1800, high=6500, decay_s=(0.02, 0.1), rng=rng)
    return ring + 0.3 * _band(t, 100, 600, rng) * np.exp(-t / 0.1)


def _horn(t: Wave, rng: np.random.Generator) -> Wave:
    low = rng.uniform(350, 480)
    return sum((_voice(t, np.full_like(t, low * k), slope=0.6, rng=rng) for k in (1.0, 1.22)), start=np.zeros_like(t))


_MAKERS: Final[Mapping[str, Callable[[Wave, np.random.Generator], Wave]]] = {
    "scream": _scream, "spray": _spray, "saw": _saw, "glass": _glass, "speech": _speech, "child": _child, "joy": _joy,
    "music": _music, "scooter": _scooter, "bus_door": _bus_door, "bottles": _bottles, "horn": _horn, "drill": _drill,
}  # fmt: skip
