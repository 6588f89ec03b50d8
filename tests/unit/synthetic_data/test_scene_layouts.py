"""The five places: one can walk there, stay there, be seen there."""

import numpy as np
import pytest
import shapely

from contrechamp.domain.errors import ParameterError
from synthetic_data.scenes.layouts import LAYOUTS, ONE_WAY, RESTRICTED, WATCHED, layout
from synthetic_data.scenes.spec import PLACES, SceneSpec

PLACE = pytest.mark.parametrize("place", LAYOUTS.values(), ids=LAYOUTS)


def test_there_are_the_five_places_and_no_other():
    assert tuple(LAYOUTS) == PLACES
    with pytest.raises(ParameterError, match="plaza, hall, corner, school, market"):
        layout("harbour")


@PLACE
def test_the_ground_is_of_one_piece_and_obstacles_are_out_of_it(place):
    ground = place.walkable
    assert ground.geom_type == "Polygon" and ground.is_valid
    solid = shapely.union_all([o.footprint for o in place.obstacles])
    assert shapely.area(shapely.intersection(ground, solid)) == pytest.approx(0.0, abs=1e-9)
    assert ground.area == pytest.approx(
        shapely.Polygon(place.outline).area - shapely.area(shapely.intersection(shapely.Polygon(place.outline), solid))
    )
    x1, y1, x2, y2 = place.extent
    assert 25 <= x2 - x1 <= 40 and 15 <= y2 - y1 <= 30
    assert shapely.box(*place.extent).covers(ground)


@PLACE
def test_spots_have_room_and_are_in_view_of_every_ordinary_camera(place):
    points = np.array([(s.x_m, s.y_m) for s in place.spots])
    assert shapely.contains_xy(place.walkable, points).all()
    assert shapely.distance(place.walkable.boundary, shapely.points(points)).min() >= 0.45
    seats = np.array([(s.x_m, s.y_m) for s in place.seats])
    for height, pitch in ((3.5, 18.0), (5.0, 22.0), (6.0, 25.0)):
        camera = SceneSpec(camera_height_m=height, camera_pitch_deg=pitch).camera
        pixels, _ = camera.project(
            np.column_stack([np.concatenate([points, seats]), np.full(len(points) + len(seats), 0.8)])
        )
        seen = ((pixels >= 0) & (pixels < (640, 360))).all(axis=1)
        assert seen.mean() >= 0.9


@PLACE
def test_entrances_stand_on_the_ground_and_one_of_them_is_one_way(place):
    for way in place.entrances:
        assert place.walkable.contains(shapely.LineString([way.start, way.end])), way.name
    assert sum(way.way != "both" for way in place.entrances) == 1
    one_way = next(way for way in place.entrances if way.way != "both")
    middle, gate = np.mean(place.zone(ONE_WAY).points, axis=0), np.mean([one_way.start, one_way.end], axis=0)
    flow = np.array([np.sin(place.flow_rad), np.cos(place.flow_rad)])
    outwards = (gate - middle) @ flow > 0
    assert outwards == (one_way.way == "out")  # the passage flows out where one leaves, in where one comes


@PLACE
def test_someone_on_a_bench_can_be_watched(place):
    seats = np.array([(s.x_m, s.y_m) for s in place.seats])
    assert place.zone(WATCHED).contains(seats).sum() >= 2


@PLACE
def test_zones_and_lines_lie_on_the_ground_before_the_camera(place):
    assert {z.name for z in place.zones} == {WATCHED, RESTRICTED, ONE_WAY}
    assert shapely.Polygon(place.zone(WATCHED).points).area > 80
    camera = SceneSpec().camera
    for zone in place.zones:
        assert zone.plane == "ground"
        centre = np.append(np.mean(zone.points, axis=0), 0.0)[None]
        pixel = camera.project(centre)[0][0]
        assert (pixel > 0).all() and (pixel < (640, 360)).all(), zone.name
    assert len({n.name for n in place.lines} | {z.name for z in place.zones}) == len(place.lines) + len(place.zones)
