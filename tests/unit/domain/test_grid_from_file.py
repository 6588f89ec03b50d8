"""A grid read from a file that anybody may have written."""

from typing import Any

import numpy as np
import pytest

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.grid import Grid

GOOD: dict[str, Any] = {"x0_m": 0.0, "y0_m": 0.0, "cell_m": 250.0, "shape": [2, 3], "runs": [1, 2, 3]}


def test_a_grid_comes_back_as_it_was() -> None:
    grid = Grid.from_dict(GOOD)
    assert grid.land.tolist() == [[False, True, True], [False, False, False]]
    assert Grid.from_dict(grid.to_dict()).land.tolist() == grid.land.tolist()
    all_land = Grid(0.0, 0.0, 1.0, np.ones((2, 2), dtype=bool))
    assert Grid.from_dict(all_land.to_dict()).n_cells == 4


@pytest.mark.parametrize(
    "change",
    [
        {"runs": [0, 10**15]},
        {"runs": [0, 10**15], "shape": [10**7, 10**8]},
        {"runs": [2**62, 2**62, 2**62, 2**62 + 6]},  # wraps around to the right sum in 64 bits
        {"runs": [7, -1]},
        {"runs": [1, 2, 2]},
        {"shape": [-2, -3]},
        {"shape": [0, 3], "runs": []},
        {"cell_m": 0.0},
        {"cell_m": float("nan")},
        {"x0_m": float("inf")},
    ],
)
def test_a_grid_that_cannot_be_is_refused_before_it_is_made(change: dict[str, Any]) -> None:
    with pytest.raises(ParameterError):
        Grid.from_dict({**GOOD, **change})
