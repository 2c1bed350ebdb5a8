"""What was taken for what, and which mistakes are the worst."""

from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from stopline.devices.confusion import covered, iou_matrix
from stopline.devices.evaluation import Evaluation, EvaluationSettings, evaluate
from tests.devices.labelled import Answers, Found, Shot, a_set

HERE, THERE = (8.0, 8.0, 24.0, 40.0), (48.0, 8.0, 80.0, 32.0)
NEAR_HERE = (8.0, 8.0, 24.0, 36.0)


def table(folder: Path, shot: Shot, answer: list[Found], score: float = 0.3) -> Evaluation:
    labels = a_set(folder, shot)
    return evaluate(Answers(answer), labels, EvaluationSettings(score=score, resamples=0))


def test_nothing_found_leaves_all_in_the_last_column(tmp_path: Path) -> None:
    got = table(tmp_path, Shot([("car", HERE), ("person", THERE)]), [])
    assert got.confusion.tolist() == [[0, 0, 0, 1], [0] * 4, [0, 0, 0, 1], [0] * 4]
    assert [one.name for one in got.missed] == ["person", "car"]  # the larger first


def test_one_right_box_is_on_the_diagonal(tmp_path: Path) -> None:
    got = table(tmp_path, Shot([("car", HERE)]), [("car", NEAR_HERE, 0.5)])
    assert got.confusion[0, 0] == got.confusion.sum() == 1


def test_a_detection_on_nothing_is_in_the_last_row(tmp_path: Path) -> None:
    got = table(tmp_path, Shot([("car", HERE)]), [("car", HERE, 0.5), ("truck", THERE, 0.4)])
    assert got.confusion[3, 1] == 1
    assert [(one.name, one.confused_with) for one in got.false] == [("truck", None)]


def test_a_car_taken_for_a_truck_is_both_a_miss_and_a_false_one(tmp_path: Path) -> None:
    got = table(tmp_path, Shot([("car", HERE)]), [("truck", HERE, 0.5)])
    assert got.confusion[0, 1] == got.confusion.sum() == 1
    assert [(one.name, one.confused_with) for one in got.missed] == [("car", "truck")]
    assert [(one.name, one.confused_with) for one in got.false] == [("truck", "car")]


def test_a_stray_of_another_class_takes_no_label_from_its_own(tmp_path: Path) -> None:
    got = table(tmp_path, Shot([("car", HERE)]), [("truck", HERE, 0.9), ("car", NEAR_HERE, 0.5)])
    assert got.confusion[0, 0] == 1
    assert got.confusion[3, 1] == 1


def test_a_second_box_on_one_label_is_false(tmp_path: Path) -> None:
    got = table(tmp_path, Shot([("car", HERE)]), [("car", HERE, 0.9), ("car", NEAR_HERE, 0.5)])
    assert got.confusion[0, 0] == 1
    assert got.confusion[3, 0] == 1


def test_each_of_two_neighbours_gets_the_box_that_is_its_own(tmp_path: Path) -> None:
    left, right = (8.0, 8.0, 28.0, 28.0), (13.0, 8.0, 33.0, 28.0)
    answer: list[Found] = [("car", right, 0.9), ("car", left, 0.8)]
    got = table(tmp_path, Shot([("car", left), ("car", right)]), answer)
    assert got.confusion[0, 0] == 2


def test_what_is_below_the_score_is_not_found(tmp_path: Path) -> None:
    got = table(tmp_path, Shot([("car", HERE)]), [("car", HERE, 0.29)])
    assert got.confusion[0, 3] == got.confusion.sum() == 1
    assert got.AP > 0.99  # which is over all scores


def test_the_most_confident_mistake_is_first(tmp_path: Path) -> None:
    answer: list[Found] = [("car", THERE, 0.5), ("car", (40, 40, 60, 60), 0.8)]
    got = table(tmp_path, Shot([("car", HERE)]), answer)
    assert [round(one.score or 0, 2) for one in got.false] == [0.8, 0.5]


SIDES = st_numpy.arrays(
    np.float64, st.tuples(st.integers(0, 6), st.just(4)), elements=st.floats(0, 90)
)


@settings(max_examples=50, deadline=None)
@given(SIDES, SIDES)
def test_overlap_is_a_share_and_iou_the_same_from_both_sides(
    left: np.ndarray[tuple[int, int], np.dtype[np.float64]],
    right: np.ndarray[tuple[int, int], np.dtype[np.float64]],
) -> None:
    left[:, 2:] += left[:, :2]
    right[:, 2:] += right[:, :2]
    iou = iou_matrix(left, right)
    assert iou.shape == (len(left), len(right))
    assert ((iou >= 0) & (iou <= 1 + 1e-9)).all()
    np.testing.assert_allclose(iou, iou_matrix(right, left).T)
    assert (covered(left, right) >= iou - 1e-9).all()
