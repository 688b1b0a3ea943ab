"""Rendered walls: repeatable, genuine unless told otherwise, and refused when too small."""

import numpy as np
import pytest

from tidewaiter.errors import ConfigurationError
from tidewaiter.forgeries.goods import GOODS, copy_unit, render_wall


@pytest.mark.parametrize("goods", GOODS)
def test_the_same_seed_renders_the_same_wall(goods):
    first = render_wall(goods, np.random.default_rng(5), height=300, width=400)
    again = render_wall(goods, np.random.default_rng(5), height=300, width=400)
    other = render_wall(goods, np.random.default_rng(6), height=300, width=400)
    assert first.rgb.shape == (300, 400, 3)
    assert np.array_equal(first.rgb, again.rgb)
    assert not np.array_equal(first.rgb, other.rgb)


def test_units_of_a_wall_are_alike_but_never_equal():
    wall = render_wall("cartons", np.random.default_rng(1), height=500, width=700)
    first, second = (wall.rgb[200:300, left : left + 90].astype(float) for left in (100, 330))
    assert not np.array_equal(first, second)
    assert len(wall.corners) > 20


def test_a_copied_unit_repeats_its_origin_exactly():
    wall = render_wall("labels", np.random.default_rng(2), height=500, width=700)
    copied = copy_unit(wall, np.random.default_rng(3))
    assert not (copied.mask & copied.origin).any()
    assert np.array_equal(copied.rgb[copied.mask], wall.rgb[copied.origin])
    assert np.array_equal(copied.rgb[~copied.mask], wall.rgb[~copied.mask])


def test_what_cannot_be_rendered_is_refused():
    with pytest.raises(ConfigurationError, match="cartons, labels, bottles"):
        render_wall("pallets", np.random.default_rng(0))
    with pytest.raises(ConfigurationError, match="240 pixels a side"):
        render_wall("labels", np.random.default_rng(0), height=100, width=400)
