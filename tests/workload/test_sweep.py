"""A sweep is as many simulations, side by side."""

from __future__ import annotations

import pytest

from ray_router import InvalidCallError, InvalidConfigError
from ray_router.workload import Grid, SyntheticTraffic, simulate, sweep

TRAFFIC = SyntheticTraffic(600, seed=3)


def test_each_point_is_what_a_simulation_gives() -> None:
    """For every TTL with every capacity, in the order of the grid."""
    grid = Grid((60.0, 3_600.0, None), (40, None), 2, "sieve")
    found = sweep(TRAFFIC, grid)
    assert (found.events, found.grid) == (600, grid)
    assert [(point.ttl_s, point.capacity) for point in found.points] == [
        (ttl_s, capacity) for ttl_s in grid.ttls_s for capacity in grid.capacities
    ]
    for point in found.points:
        result = simulate(TRAFFIC, point.ttl_s, point.capacity, 2, "sieve")
        assert (point.hit_ratio, point.evicted) == (result.hit_ratio, result.evicted)
        assert (point.expired, point.live) == (result.expired, result.live)
        assert found.sessions == result.sessions


def test_events_are_read_once() -> None:
    """However many points there are."""
    found = sweep(iter(list(TRAFFIC)), Grid((60.0, None), (40, None)))
    assert found.points[0].hit_ratio < found.points[-1].hit_ratio


def test_bad_grids_are_refused() -> None:
    """One without a point, one with too many, and one with settings of no router."""
    with pytest.raises(InvalidCallError, match="is of 0 points"):
        sweep(TRAFFIC, Grid((), (1,)))
    with pytest.raises(InvalidCallError, match="is of 420 points"):
        sweep(TRAFFIC, Grid(tuple(map(float, range(1, 22))), tuple(range(1, 21))))
    with pytest.raises(InvalidConfigError, match="capacity"):
        sweep(TRAFFIC, Grid((60.0,), (1,), 4))
