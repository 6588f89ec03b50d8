"""The conditional intensity that incidents were drawn from, so that a model can be scored against the truth itself.

For a type k, a cell c and an instant t, given everything that happened before t::

    lambda_k(t, c) = mu_k(t, c) + sum over earlier incidents i of type k of
                     mean * b * exp(-b * (t - t_i)) * P(c | address of i),        b = 1 / lag_days

with the background ``mu`` of :mod:`synthetic_data.background` and the kernel of :mod:`synthetic_data.triggering`. What
happened before day 0 counts: the process started empty and all of it is kept, so nothing is left out. Sums over the
past use the recursion of the exponential kernel and cost one pass over incidents and questions.

What it cannot tell you: anything about records. And no model can do better on average than this intensity, but one that
is close to it on incidents that nobody reported learned something else than the log.

Notes
-----
Where an effect is planted, this is the law of what happens without it: planted incidents are left out.

References
----------
.. [1] Ogata, Y. (1981), "On Lewis' simulation method for point processes", IEEE Trans. Inf. Theory 27(1), 23-31.
.. [2] Daley, D. & Vere-Jones, D. (2003), "An Introduction to the Theory of Point Processes" I, sec. 7.2-7.4.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numba
import numpy as np
import numpy.typing as npt

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import Grid
from synthetic_data.background import Background
from synthetic_data.city import City
from synthetic_data.clock import DAY_US, SLOT_US, SLOTS_PER_DAY
from synthetic_data.incidents import Incidents
from synthetic_data.triggering import LandGaussian, Triggering

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Lags after which sums kept in exponential form are brought back to 1, far from overflow.
_REBASE: Final = 200.0


@dataclass(frozen=True, eq=False)
class ConditionalIntensity:
    """Intensity by type and cell, in incidents a day, given what happened.

    Attributes
    ----------
    background : Background
    trigger : Triggering
    grid : Grid
    t_us, type_code, cell : ndarray of int, shape (n,)
        What happened, in order of time, from the start of the process.
    address : ndarray of int, shape (n,)
        Row of ``around`` for each.
    around : LandGaussian
        Where follow-ons go, from each address where something happened.
    """

    background: Background
    trigger: Triggering
    grid: Grid
    t_us: IntArray
    type_code: IntArray
    cell: IntArray
    address: IntArray
    around: LandGaussian

    @classmethod
    def of(cls, incidents: Incidents, city: City) -> ConditionalIntensity:
        """Intensity that drawn incidents obey."""
        usual = ~incidents.planted
        parts = [
            np.concatenate([getattr(incidents.before, name), getattr(incidents, name)[usual]])
            for name in ("t_us", "type_code", "cell", "site")
        ]
        return cls.given(
            incidents.background, incidents.trigger, city, t_us=parts[0], type_code=parts[1], cell=parts[2],
            site=parts[3],
        )  # fmt: skip

    @classmethod
    def given(
        cls,
        background: Background,
        trigger: Triggering,
        city: City,
        *,
        t_us: IntArray,
        type_code: IntArray,
        cell: IntArray,
        site: IntArray,
    ) -> ConditionalIntensity:
        """Intensity under a law, given any history in order of time."""
        used, address = np.unique(site, return_inverse=True)
        around = LandGaussian.around(city.grid, city.site_x_m[used], city.site_y_m[used], sd_m=trigger.sd_m)
        return cls(background, trigger, city.grid, t_us, type_code, cell, address, around)

    def at(self, t_us: IntArray, type_code: IntArray, cell: IntArray) -> FloatArray:
        """Intensity just before each instant, of a type in a cell; incidents per day, shape (m,).

        Raises
        ------
        ParameterError
            If an instant is outside the process.
        """
        order = np.argsort(t_us, kind="stable")
        g, out = self.around, np.zeros(len(t_us))
        if self.trigger.mean > 0:
            out[order] = _excitation(
                self._days(self.t_us), self.type_code, self.cell, self.address,
                self._days(t_us)[order], type_code[order], cell[order],
                len(self.background.tempo), self._rate_per_day, self.trigger.mean, self.trigger.same_address,
                g.column, g.row, g.across, g.up, g.on_land, self._number, self.grid.n_cells,
            )  # fmt: skip
        return out + self.background_at(t_us, type_code, cell)

    def background_at(self, t_us: IntArray, type_code: IntArray, cell: IntArray) -> FloatArray:
        """Background at each instant, of a type in a cell; incidents per day, shape (m,)."""
        law = self.background
        slot = self._slot(t_us)
        out = law.tempo[type_code, slot] * law.place[type_code, cell]
        order = np.argsort(slot, kind="stable")
        low = np.searchsorted(slot[order], law.event_first)
        high = np.searchsorted(slot[order], law.event_last)
        for e in np.flatnonzero(high > low):
            asked = order[low[e] : high[e]]
            near = self._around_events.at(np.full(len(asked), e), cell[asked])
            out[asked] += law.event_rate[e, type_code[asked]] * near
        return np.asarray(out * SLOTS_PER_DAY, dtype=np.float64)

    def city_at(self, t_us: IntArray, type_code: IntArray) -> FloatArray:
        """Intensity just before each instant, of a type in the whole city; incidents per day, shape (m,)."""
        out = self.background.total()[type_code, self._slot(t_us)] * SLOTS_PER_DAY
        for code in range(len(self.background.tempo)):
            asked = np.flatnonzero(type_code == code)
            lately = self._lately(code, self._days(t_us[asked]))
            out[asked] += self.trigger.mean * self._rate_per_day * lately
        return np.asarray(out, dtype=np.float64)

    def compensator(self, t_us: IntArray) -> FloatArray:
        """Integral of the city's intensity from the opening of day 0 to each instant, by type; shape (12, m).

        Under the true law, the differences of it between successive incidents of a type are independent and
        exponential with mean 1.
        """
        law, opening = self.background, self.background.slots.opening_us
        slot = self._slot(t_us)
        total = law.total()
        total[:, : law.slots.n_before] = 0.0
        through = np.concatenate([np.zeros((len(total), 1)), np.cumsum(total, axis=1)], axis=1)
        part = (t_us - law.slots.start_us) / SLOT_US - slot
        out = through[:, slot] + total[:, slot] * part
        day, zero = self._days(t_us), self._days(np.array([opening]))
        for code in range(len(total)):
            mine = np.flatnonzero(self.type_code == code)
            old = np.searchsorted(self.t_us[mine], opening)
            # what came before day 0 had spent part of its follow-ons by then
            earlier = self._lately(code, zero)[0]
            began = np.searchsorted(self.t_us[mine], t_us) - old
            out[code] += self.trigger.mean * (began + earlier - self._lately(code, day))
        return np.asarray(out, dtype=np.float64)

    def map_at(self, t_us: int) -> FloatArray:
        """Intensity just before an instant, everywhere; incidents per day, shape (12, n_cells)."""
        at = np.array([t_us], dtype=np.int64)
        slot = int(self._slot(at)[0])
        past = self.t_us < t_us
        lag = self._days(at)[0] - self._days(self.t_us)
        weight = np.where(past, np.exp(-self._rate_per_day * np.where(past, lag, 0.0)), 0.0)
        now = (self.background.event_first <= slot) & (slot < self.background.event_last)
        held = np.where(now, float(SLOTS_PER_DAY), 0.0)
        hours = np.zeros(len(self.background.slots))
        hours[slot] = SLOTS_PER_DAY
        return self._everywhere(hours, held, self.trigger.mean * self._rate_per_day * weight)

    def by_cell(self, t0_us: int, t1_us: int) -> FloatArray:
        """Integral of the intensity over ``[t0, t1)`` in each cell, given what happened in it too; shape (12, n_cells).

        Raises
        ------
        ParameterError
            If the interval is empty or outside the process.
        """
        if not t1_us > t0_us:
            raise bad_parameter(name="t1_us", where="by_cell", must="after t0_us", got=t1_us)
        slots = self.background.slots
        self._slot(np.array([t0_us, t1_us - 1]))
        opens = slots.start_us + SLOT_US * np.arange(len(slots))
        share = (np.minimum(opens + SLOT_US, t1_us) - np.maximum(opens, t0_us)).clip(0) / SLOT_US
        so_far = np.concatenate([[0.0], np.cumsum(share)])
        held = so_far[self.background.event_last] - so_far[self.background.event_first]
        day, ends = self._days(self.t_us), self._days(np.array([t0_us, t1_us]))
        b = self._rate_per_day
        left = np.exp(-b * np.maximum(ends[0] - day, 0.0)) - np.exp(-b * np.maximum(ends[1] - day, 0.0))
        return self._everywhere(share, held, self.trigger.mean * left)

    @property
    def _rate_per_day(self) -> float:
        return 1.0 / self.trigger.lag_days

    @cached_property
    def _around_events(self) -> LandGaussian:
        law = self.background
        return LandGaussian.around(self.grid, law.event_x_m, law.event_y_m, sd_m=law.event_sd_m)

    @cached_property
    def _number(self) -> IntArray:
        number = np.full(self.grid.shape, -1, dtype=np.int64)
        number[self.grid.land] = np.arange(self.grid.n_cells)
        return number

    @cached_property
    def _sums(self) -> list[tuple[FloatArray, FloatArray]]:
        """By type: days of its incidents, and sum of ``exp(-b * lag)`` over those until then, itself included."""
        day = self._days(self.t_us)
        by_type = [day[self.type_code == code] for code in range(len(self.background.tempo))]
        return [(t, _decayed_counts(t, self._rate_per_day)) for t in by_type]

    def _lately(self, code: int, day: FloatArray) -> FloatArray:
        """Sum of ``exp(-b * lag)`` over the incidents of a type strictly before each instant, in days."""
        times, sums = self._sums[code]
        last = np.searchsorted(times, day) - 1
        none = last < 0
        if none.all():
            return np.zeros(len(day))
        last = np.where(none, 0, last)
        return np.asarray(
            np.where(none, 0.0, sums[last] * np.exp(-self._rate_per_day * np.where(none, 0.0, day - times[last])))
        )

    def _everywhere(self, slots: FloatArray, events: FloatArray, incidents: FloatArray) -> FloatArray:
        """Weigh half hours, events and incidents, and sum the background and the follow-ons they stand for."""
        law = self.background
        used = np.flatnonzero(slots)
        out = (law.tempo[:, used] @ slots[used])[:, None] * law.place
        same = self.trigger.same_address
        for code in range(len(out)):
            if len(law.event_id):
                out[code] += self._around_events.spread(law.event_rate[:, code] * events)
            mine = (self.type_code == code) & (incidents != 0)
            weight = incidents[mine]
            out[code] += same * np.bincount(self.cell[mine], weight, minlength=out.shape[1])
            moved = np.bincount(self.address[mine], (1 - same) * weight, minlength=len(self.around))
            out[code] += self.around.spread(np.asarray(moved, dtype=np.float64))
        return np.asarray(out, dtype=np.float64)

    def _days(self, t_us: IntArray) -> FloatArray:
        return np.asarray((t_us - self.background.slots.opening_us) / DAY_US, dtype=np.float64)

    def _slot(self, t_us: IntArray) -> IntArray:
        slots = self.background.slots
        slot = slots.index(t_us)
        # the intensity just before the end is that of the last half hour
        slot = np.where(t_us == slots.end_us, len(slots) - 1, slot)
        if len(slot) and (slot.min() < 0 or slot.max() >= len(slots)):
            raise bad_parameter(
                name="t_us", where="ConditionalIntensity", must=f"instants in [{slots.start_us}, {slots.end_us}]",
                got=int(t_us[np.argmax((slot < 0) | (slot >= len(slots)))]),
            )  # fmt: skip
        return slot


@numba.njit()
def _decayed_counts(times: FloatArray, b: float) -> FloatArray:
    """Sum of ``exp(-b * (times[i] - times[j]))`` over ``j <= i``, in one pass."""
    out = np.empty(len(times))
    total = 0.0
    for i in range(len(times)):
        total = 1.0 + (total * np.exp(-b * (times[i] - times[i - 1])) if i else 0.0)
        out[i] = total
    return out


@numba.njit()
def _excitation(
    t: FloatArray,
    kind: IntArray,
    cell: IntArray,
    address: IntArray,
    asked_t: FloatArray,
    asked_kind: IntArray,
    asked_cell: IntArray,
    n_types: int,
    b: float,
    mean: float,
    same: float,
    column: IntArray,
    row: IntArray,
    across: FloatArray,
    up: FloatArray,
    on_land: FloatArray,
    number: IntArray,
    n_cells: int,
) -> FloatArray:
    """Excitation by type and cell just before each question; incidents and questions in order of time."""
    height, width = up.shape[1], across.shape[1]
    state = np.zeros((n_types, n_cells))  # times exp(b * (now - base))
    base = t[0] if len(t) else 0.0
    out = np.zeros(len(asked_t))
    i = 0
    for q in range(len(asked_t)):
        while i < len(t) and t[i] < asked_t[q]:
            if b * (t[i] - base) > _REBASE:
                state *= np.exp(-b * (t[i] - base))
                base = t[i]
            a = address[i]
            weight = mean * b * np.exp(b * (t[i] - base))
            state[kind[i], cell[i]] += same * weight
            weight *= (1 - same) / on_land[a]
            for j in range(height):
                for c in range(width):
                    to = number[row[a] + j, column[a] + c]
                    if to >= 0:
                        state[kind[i], to] += weight * up[a, j] * across[a, c]
            i += 1
        out[q] = state[asked_kind[q], asked_cell[q]] * np.exp(-b * (asked_t[q] - base))
    return out
