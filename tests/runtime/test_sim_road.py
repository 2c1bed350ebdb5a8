"""The simulated street: the same bits for the same settings, and truth that fits the pixels."""

from dataclasses import replace
from functools import lru_cache
from typing import get_args

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from stopline.runtime.arrays import Boxes
from stopline.runtime.sim import CLASSES, Road, RoadSettings, View
from stopline.runtime.sim.settings import TimeOfDay

DAY = RoadSettings(width=400, height=225, seed=4)


@lru_cache(4)
def road_of(settings: RoadSettings) -> Road:
    return Road(settings)


def test_equal_settings_and_time_give_identical_bits_in_any_order_of_calls() -> None:
    forward, backward = Road(DAY), Road(DAY)
    times = [0.0, 20.3, 1.7]
    first = [forward.view(t) for t in times]
    second = [backward.view(t) for t in reversed(times)][::-1]
    for one, other in zip(first, second, strict=True):
        assert np.array_equal(one.image, other.image)
        assert np.array_equal(one.boxes, other.boxes)
        assert np.array_equal(one.visibility, other.visibility)
        assert np.array_equal(one.ids, other.ids)
        assert one.names == other.names


def test_every_seed_is_another_street() -> None:
    small = replace(DAY, width=96, height=54)
    views = [Road(replace(small, seed=seed)).view(1.0).image for seed in range(3)]
    differences = [np.abs(a.astype(int) - b).mean() for k, a in enumerate(views) for b in views[:k]]
    assert min(differences) > 12


def test_the_next_frame_is_another_frame() -> None:
    road = road_of(DAY)
    one, other = road.view(2.0), road.view(2.0 + 1 / 30)
    assert not np.array_equal(one.image, other.image)


@pytest.mark.parametrize("size", [(8, 8), (16, 16), (33, 250), (321, 181), (500, 40)])
def test_any_size_has_an_image_of_that_size_and_boxes_within_it(size: tuple[int, int]) -> None:
    width, height = size
    view = Road(RoadSettings(width, height, seed=3, rain=0.5)).view(4.2)
    assert view.image.shape == (height, width, 3)
    assert view.image.dtype == np.uint8
    assert_sound(view)


@pytest.mark.parametrize("time_of_day", get_args(TimeOfDay))
def test_truth_is_sound_all_along_the_street(time_of_day: TimeOfDay) -> None:
    road = Road(replace(DAY, width=160, height=90, time_of_day=time_of_day))
    for t in np.arange(0, 30, 3.7):
        assert_sound(road.view(float(t)))


def assert_sound(view: View) -> None:
    """What must hold of any view."""
    height, width = view.image.shape[:2]
    count = len(view.names)
    assert view.boxes.shape == (count, 4)
    assert view.boxes.dtype == np.float32
    assert len(view.visibility) == len(view.ids) == count
    assert set(view.names) <= set(CLASSES)
    assert len(set(view.ids.tolist())) == count
    assert (view.boxes >= 0).all()
    assert (view.boxes[:, [0, 2]] <= width).all()
    assert (view.boxes[:, [1, 3]] <= height).all()
    assert (view.boxes[:, 2:] > view.boxes[:, :2]).all()
    assert (view.visibility >= 0).all()
    assert (view.visibility <= 1).all()


def test_an_empty_street_has_no_people_and_no_vehicles() -> None:
    view = Road(replace(DAY, density=0.0, width=160, height=90)).view(3.0)
    assert set(view.names) <= {"pole", "stop sign", "traffic light"}


def test_all_classes_appear_within_a_few_streets() -> None:
    seen: set[str] = set()
    for seed in range(12):
        road = Road(RoadSettings(width=160, height=90, seed=seed))
        for t in (1.0, 7.0, 13.0):
            seen |= set(road.view(t).names)
        if seen == set(CLASSES):
            return
    assert seen == set(CLASSES)


def changed_by(road: Road, view: View, row: int, t: float) -> Boxes:
    """(4,) xyxy around all pixels that an object alone changes."""
    without = road.view(t, without=[int(view.ids[row])])
    ys, xs = np.nonzero((view.image != without.image).any(2))
    return np.array([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1], np.float32)


@pytest.mark.parametrize("seed", [1, 4])
def test_what_an_object_changes_lies_in_its_box_and_fills_it(seed: int) -> None:
    road, t = road_of(replace(DAY, seed=seed, noise=0.0)), 3.0
    view = road.view(t)
    sizes = (view.boxes[:, 2:] - view.boxes[:, :2]).min(1)
    rows = np.flatnonzero((view.visibility > 0.97) & (sizes > 6))
    assert len(rows) >= 3
    for row in rows:
        found = changed_by(road, view, int(row), t)
        # Antialiasing and the lens spread it by a pixel each, and pixels are whole.
        assert np.abs(found - view.boxes[row]).max() <= 2.5, (view.names[row], found)


def test_an_object_cut_off_by_the_border_has_the_box_of_what_is_in_the_image() -> None:
    found = 0
    for seed in (13, 14, 30):
        road, t = Road(replace(DAY, seed=seed, noise=0.0)), 3.0
        view = road.view(t)
        for row in np.flatnonzero((view.visibility > 0.97) & (view.boxes[:, 2] >= DAY.width)):
            if (view.boxes[row, 2:] - view.boxes[row, :2]).min() > 6:
                off = np.abs(changed_by(road, view, int(row), t) - view.boxes[row])
                assert off.max() <= 3, (seed, view.names[row])
                found += 1
    assert found > 0


def test_an_object_hidden_behind_another_gains_visibility_when_that_one_goes() -> None:
    road, t = road_of(DAY), 3.0
    view = road.view(t)
    before = dict(zip(view.ids.tolist(), view.visibility.tolist(), strict=True))
    fronts = np.flatnonzero((view.visibility > 0.95) & (np.array(view.names) == "car"))
    best = 0.0
    for front in fronts:
        gone = int(view.ids[front])
        freed = road.view(t, without=[gone])
        assert gone not in freed.ids
        for number, visible in zip(freed.ids.tolist(), freed.visibility.tolist(), strict=True):
            assert visible >= before[number] - 1e-6
            best = max(best, visible - before[number])
    assert best > 0.2


def test_the_stop_sign_is_red_where_the_truth_says() -> None:
    found = 0
    for seed in range(15):
        view = Road(RoadSettings(width=640, height=360, seed=seed)).view(1.0)
        for box, name, visible in zip(view.boxes, view.names, view.visibility, strict=True):
            if name == "stop sign" and visible > 0.9 and box[3] - box[1] > 14:
                assert_red_octagon(view, box)
                found += 1
        if found >= 2:
            return
    assert found >= 2


def assert_red_octagon(view: View, box: NDArray[np.floating]) -> None:
    x0, y0, x1, y1 = box.round().astype(int)
    patch = view.image[y0:y1, x0:x1].astype(int)
    blue, green, red = patch[..., 0], patch[..., 1], patch[..., 2]
    redness = red - np.maximum(blue, green)
    assert (redness > 30).mean() > 0.3
    height, width = redness.shape
    corner = redness[: max(1, height // 10), : max(1, width // 10)]
    assert corner.mean() < redness[height // 4 : height // 2, width // 4 : -width // 4].mean()


def test_a_track_number_stays_with_its_object() -> None:
    road = road_of(DAY)
    one, other = road.view(3.0), road.view(3.0 + 1 / 30)
    names = dict(zip(one.ids.tolist(), one.names, strict=True))
    shared = [k for k, number in enumerate(other.ids.tolist()) if number in names]
    assert len(shared) > 0.8 * len(other.ids)
    rows = {number: k for k, number in enumerate(one.ids.tolist())}
    for k in shared:
        number = int(other.ids[k])
        assert other.names[k] == names[number]
        moved = np.abs(other.boxes[k] - one.boxes[rows[number]]).max()
        assert moved < 30


def test_night_is_darker_and_rain_is_greyer_than_day() -> None:
    small = replace(DAY, width=160, height=90, noise=0.0)
    day = road_of(small).view(1.0).image
    night = Road(replace(small, time_of_day="night")).view(1.0).image
    rain = Road(replace(small, rain=1.0)).view(1.0).image
    assert night.mean() < 0.7 * day.mean()
    saturation = [cv2.cvtColor(image, cv2.COLOR_BGR2HSV)[..., 1].mean() for image in (day, rain)]
    assert saturation[1] < saturation[0]


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({"width": 4}, "width=4"),
        ({"height": 100_000}, "height=100000"),
        ({"fps": 0}, "fps=0"),
        ({"rain": 1.5}, "rain=1.5"),
        ({"rain": float("nan")}, "rain=nan"),
        ({"time_of_day": "noon"}, "day, dusk, night"),
    ],
)
def test_settings_that_make_no_street_are_refused_by_name(
    settings: dict[str, float], names: str
) -> None:
    with pytest.raises(ValueError, match=names):
        RoadSettings(**settings)  # type: ignore[arg-type]  # wrong values are the point
