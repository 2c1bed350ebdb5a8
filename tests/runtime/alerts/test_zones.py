"""Inside is what a careful person would call inside."""

import cv2
import numpy as np
import pytest

from stopline.runtime.alerts.zones import (
    Point,
    Polygon,
    area,
    crossing_edges,
    ground_contact,
    in_frame,
)

SQUARE = Polygon([(0.2, 0.2), (0.6, 0.2), (0.6, 0.6), (0.2, 0.6)])
# Its middle is notched from above, down to y = 0.5.
NOTCHED = Polygon([(0.1, 0.1), (0.5, 0.5), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9)])


def test_nothing_is_in_no_zone_and_touches_none() -> None:
    nothing = np.empty((0, 4))
    assert SQUARE.holds(ground_contact(nothing)).tolist() == []
    assert SQUARE.touches(nothing).tolist() == []


def test_one_point_in_and_one_out_of_a_notched_polygon() -> None:
    points = np.array([(0.5, 0.6), (0.5, 0.4), (0.2, 0.4), (0.95, 0.5)])
    assert NOTCHED.holds(points).tolist() == [True, False, True, False]


def test_an_object_stands_where_the_middle_of_its_lower_edge_is() -> None:
    boxes = np.array([(0.3, 0.1, 0.5, 0.5), (0.3, 0.3, 0.5, 0.7), (0.1, 0.1, 0.9, 0.5)])
    assert SQUARE.holds(ground_contact(boxes)).tolist() == [True, False, True]


def test_what_the_lower_edge_of_the_frame_cuts_off_stands_in_a_zone_that_ends_there() -> None:
    whole_frame = Polygon([(0.0, 0.0), (1, 0), (1, 1), (0, 1)])
    boxes = np.array([(0.4, 0.4, 0.6, 1.0), (0.9, 0.5, 1.1, 1.2), (-0.2, 0.5, 0.1, 1.0)])
    assert whole_frame.holds(ground_contact(in_frame(boxes, (1, 1)))).all()


def test_zones_are_shares_of_the_frame_whatever_its_shape() -> None:
    boxes = np.array([(640, 180, 660, 360)])
    assert in_frame(boxes, (720, 1280)).tolist() == [[0.5, 0.25, 660 / 1280, 0.5]]


@pytest.mark.parametrize(
    ("box", "touches"),
    [
        ((0.3, 0.3, 0.4, 0.4), True),  # within the zone
        ((0.0, 0.0, 1.0, 1.0), True),  # around it
        ((0.0, 0.3, 0.3, 0.4), True),  # over an edge
        ((0.0, 0.35, 1.0, 0.4), True),  # through it, without a corner in it
        ((0.0, 0.0, 0.19, 1.0), False),  # beside it
        ((0.7, 0.7, 0.9, 0.9), False),
    ],
)
def test_any_part_of_a_box_may_touch_a_zone(
    box: tuple[float, float, float, float], touches: bool
) -> None:
    assert SQUARE.touches(np.array([box])).tolist() == [touches]


def test_a_box_in_the_notch_of_a_polygon_does_not_touch_it() -> None:
    boxes = np.array([(0.48, 0.1, 0.52, 0.3), (0.48, 0.1, 0.52, 0.55)])
    assert NOTCHED.touches(boxes).tolist() == [False, True]


def test_inside_agrees_with_opencv_on_random_polygons() -> None:
    chance = np.random.default_rng(3)
    for _ in range(50):
        angles = np.sort(chance.uniform(0, 2 * np.pi, 7))
        radii = chance.uniform(0.1, 0.5, 7)
        corners = np.stack((0.5 + radii * np.cos(angles), 0.5 + radii * np.sin(angles)), axis=1)
        polygon = Polygon([(x, y) for x, y in corners.tolist()])
        points = chance.uniform(0, 1, (100, 2))
        contour = corners.astype(np.float32)
        theirs = [cv2.pointPolygonTest(contour, (float(x), float(y)), True) for x, y in points]
        far = np.abs(theirs) > 1e-5  # they count in float32
        assert np.array_equal(polygon.holds(points)[far], np.array(theirs)[far] > 0)


def test_touching_agrees_with_points_all_over_the_box() -> None:
    chance = np.random.default_rng(4)
    low = chance.uniform(0, 0.9, (200, 2))
    boxes = np.concatenate((low, low + chance.uniform(0.01, 0.5, (200, 2))), axis=1)
    shares = np.stack(np.meshgrid(*[np.linspace(0, 1, 60)] * 2), axis=-1).reshape(-1, 2)
    touched = NOTCHED.touches(boxes)
    for box, touches in zip(boxes, touched, strict=True):
        points = box[:2] + shares * (box[2:] - box[:2])
        if NOTCHED.holds(points).any():
            assert touches, box
    # The other way round a grid may miss a corner, but seldom.
    sampled = [NOTCHED.holds(b[:2] + shares * (b[2:] - b[:2])).any() for b in boxes]
    assert np.count_nonzero(touched & ~np.array(sampled)) <= 2


@pytest.mark.parametrize(
    ("points", "edges"),
    [
        (((0, 0), (1, 0), (1, 1)), None),
        (((0, 0), (1, 1), (1, 0), (0, 1)), (0, 2)),
        (((0, 0), (1, 0), (1, 1), (0.5, 0)), (0, 2)),  # a corner on another edge
    ],
)
def test_edges_that_meet_are_found(
    points: tuple[Point, ...], edges: tuple[int, int] | None
) -> None:
    assert crossing_edges(points) == edges


def test_the_area_is_a_share_of_the_frame() -> None:
    assert area([(0, 0), (1, 0), (1, 1)]) == pytest.approx(0.5)
