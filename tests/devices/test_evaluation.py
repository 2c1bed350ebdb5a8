"""AP is what COCO says it is, over what is labelled and nothing else."""

from pathlib import Path

import numpy as np
import pytest

from stopline.devices.evaluation import Evaluation, EvaluationSettings, evaluate
from stopline.devices.evaluation_report import accuracy, as_json
from tests.devices.labelled import Answers, Found, Row, Shot, a_set

HERE, THERE = (8.0, 8.0, 24.0, 40.0), (48.0, 8.0, 80.0, 32.0)
CAR: Row = ("car", HERE)
ONLY_CARS = {"labelled_categories": ["car"]}
A_CAR: Found = ("car", HERE, 0.9)
PERFECT, HALF = pytest.approx(1), pytest.approx(0.5)


def figures(folder: Path, shots: list[Shot], answers: list[list[Found]]) -> Evaluation:
    return evaluate(Answers(*answers), a_set(folder, *shots))


def test_an_empty_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no box to score in its 0 images"):
        figures(tmp_path, [], [])


def test_a_set_without_a_box_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no box to score in its 1 images: wanted one of car"):
        figures(tmp_path, [Shot()], [[A_CAR]])


def test_one_box_found_is_perfect(tmp_path: Path) -> None:
    got = figures(tmp_path, [Shot([CAR])], [[A_CAR]])
    assert [got.AP, got.AP50, got.AP75] == [PERFECT] * 3
    assert got.classes["car"].recall == 1
    assert got.classes["car"].boxes == 1
    assert (got.variant, got.backend, got.images) == ("fp32", "known", 1)


def test_one_box_not_found_is_nothing(tmp_path: Path) -> None:
    got = figures(tmp_path, [Shot([CAR])], [[]])
    assert (got.AP, got.AP50, got.classes["car"].recall) == (0, 0, 0)


def test_a_class_without_a_box_has_no_figures_and_no_part_in_the_mean(tmp_path: Path) -> None:
    got = figures(tmp_path, [Shot([CAR])], [[A_CAR, ("person", THERE, 0.9)]])
    person = got.classes["person"]
    assert (person.AP, person.AP50, person.AP75, person.recall) == (None, None, None, None)
    assert got.AP == PERFECT


def test_a_perfect_detector_has_ap_1_in_each_class(tmp_path: Path) -> None:
    shots = [Shot([CAR, ("person", THERE)]), Shot([("truck", THERE)]), Shot()]
    answers = [[(name, box, 0.5) for name, box in shot.boxes] for shot in shots]
    got = figures(tmp_path, shots, answers)
    assert [one.AP for one in got.classes.values()] == pytest.approx([1, 1, 1])


def test_boxes_shifted_by_half_collapse(tmp_path: Path) -> None:
    """The gate: scores and classes are right, so only the boxes can tell."""
    shots = [Shot([("car", (8.0 * at, 8, 8 * at + 16, 24))]) for at in range(6)]
    right = [[("car", shot.boxes[0][1], 0.9)] for shot in shots]
    shifted = [
        [("car", (box[0] + 8, box[1] + 8, box[2] + 8, box[3] + 8), score)]
        for [(_, box, score)] in right
    ]
    broken = figures(tmp_path / "broken", shots, list(shifted))
    assert figures(tmp_path / "right", shots, list(right)).AP == PERFECT
    assert broken.AP == 0
    assert broken.classes["car"].recall_at_score == 0


def test_a_false_alarm_of_a_labelled_class_costs(tmp_path: Path) -> None:
    alarm: Found = ("car", THERE, 0.95)
    got = figures(tmp_path, [Shot([CAR]), Shot(says=ONLY_CARS)], [[A_CAR], [alarm]])
    assert got.AP50 == HALF
    assert got.classes["car"].precision_at_score == 0.5


def test_a_detection_of_an_unlabelled_class_costs_nothing(tmp_path: Path) -> None:
    shots = [Shot([CAR, ("person", HERE)]), Shot(says=ONLY_CARS)]
    answers = [[A_CAR, ("person", HERE, 0.5)], [("person", THERE, 0.95)]]
    got = figures(tmp_path, shots, answers)
    assert got.classes["person"].AP == PERFECT
    assert got.classes["person"].precision_at_score == 1
    assert got.confusion.sum() == 2
    assert got.false == ()


def test_an_image_counts_for_the_classes_labelled_in_it(tmp_path: Path) -> None:
    got = figures(tmp_path, [Shot([CAR]), Shot(says=ONLY_CARS)], [[A_CAR], []])
    assert {name: one.images for name, one in got.classes.items()} == {
        "car": 2,
        "truck": 1,
        "person": 1,
    }


def test_a_box_of_a_class_that_is_not_labelled_is_no_miss(tmp_path: Path) -> None:
    shots = [Shot([CAR, ("person", THERE)], says=ONLY_CARS)]
    got = figures(tmp_path, shots, [[A_CAR]])
    assert got.AP == PERFECT
    assert got.classes["person"].boxes == 0
    assert got.missed == ()


def test_a_truck_where_trucks_were_labelled_as_cars_is_a_car(tmp_path: Path) -> None:
    says = {"labelled_categories": ["car"], "labelled_as": {"truck": "car"}}
    answer: list[Found] = [("truck", HERE, 0.9)]
    got = figures(tmp_path / "as", [Shot([CAR], says=says)], [answer])
    assert got.classes["car"].AP == PERFECT
    without = figures(tmp_path / "not as", [Shot([CAR], says=ONLY_CARS)], [answer])
    assert without.classes["car"].AP == 0


def test_it_holds_for_that_image_alone(tmp_path: Path) -> None:
    says = {"labelled_categories": ["car"], "labelled_as": {"truck": "car"}}
    shots = [Shot([CAR], says=says), Shot([("truck", HERE)])]
    got = figures(tmp_path, shots, [[("truck", HERE, 0.9)], [("truck", HERE, 0.9)]])
    assert got.classes["truck"].AP == PERFECT
    assert got.classes["car"].AP == PERFECT


def test_a_mapped_class_counts_as_the_other_everywhere(tmp_path: Path) -> None:
    detector = Answers([("lorry", HERE, 0.9)], names=("lorry", "tree"))
    labels = a_set(tmp_path, Shot([("truck", HERE)]))
    got = evaluate(detector, labels, EvaluationSettings({"lorry": "truck"}))
    assert got.AP == PERFECT
    assert list(got.classes) == ["truck"]
    assert got.of_set_only == ("car", "person")
    assert got.of_detector_only == ("tree",)


def test_a_mapped_class_is_no_longer_itself(tmp_path: Path) -> None:
    labels = a_set(tmp_path, Shot([CAR, ("truck", THERE)]))
    answers = Answers([A_CAR, ("truck", THERE, 0.8)])
    got = evaluate(answers, labels, EvaluationSettings({"truck": "car"}))
    assert got.of_set_only == ("truck",)
    assert got.classes["car"].precision_at_score == 0.5


@pytest.mark.parametrize(
    ("class_map", "said"),
    [
        ({"van": "car"}, "names van, which the detector does not have: it has car, truck, person"),
        ({"car": "van"}, r"names van, which labels\.json does not have"),
    ],
)
def test_a_map_of_a_class_that_is_not_there_is_refused(
    tmp_path: Path, class_map: dict[str, str], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        evaluate(Answers([]), a_set(tmp_path, Shot([CAR])), EvaluationSettings(class_map))


def test_no_class_in_common_is_refused_and_says_what_to_type(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no class in common: the detector finds bird; .*--map"):
        evaluate(Answers([], names=["bird"]), a_set(tmp_path, Shot([CAR])))


def test_a_class_the_detector_lacks_is_named_and_no_part_of_the_mean(tmp_path: Path) -> None:
    labels = a_set(tmp_path, Shot([CAR, ("person", THERE)]))
    got = evaluate(Answers([A_CAR], names=["car"]), labels)
    assert got.AP == PERFECT
    assert got.of_set_only == ("truck", "person")


def test_a_crowd_is_neither_hit_nor_miss(tmp_path: Path) -> None:
    shots = [Shot([CAR], crowd=[("car", THERE)])]
    inside: Found = ("car", (50, 10, 60, 20), 0.95)
    whole: Found = ("car", THERE, 0.95)
    for at, answer in enumerate([[A_CAR], [A_CAR, inside], [A_CAR, inside, inside, whole]]):
        got = figures(tmp_path / str(at), shots, [list(answer)])
        assert got.AP == PERFECT
        assert got.classes["car"].boxes == 1
        assert got.confusion.sum() == got.confusion[0, 0] == 1
        assert (got.missed, got.false) == ((), ())


def test_a_crowd_of_another_class_ignores_nothing(tmp_path: Path) -> None:
    shots = [Shot([CAR], crowd=[("person", THERE)])]
    got = figures(tmp_path, shots, [[A_CAR, ("car", (50, 10, 60, 20), 0.95)]])
    assert got.AP50 == HALF


def test_positive_only_boxes_are_told_apart_from_ap(tmp_path: Path) -> None:
    says = {"labelled_categories": [], "positive_only_categories": ["car"]}
    shots = [Shot([CAR]), Shot([CAR, ("car", THERE)], says=says)]
    alarm: Found = ("car", (40, 40, 60, 60), 0.95)
    got = figures(tmp_path, shots, [[A_CAR], [A_CAR, alarm]])
    assert got.AP == PERFECT
    assert got.classes["car"].boxes == 1
    assert got.positive_only["car"].boxes == 2
    assert got.positive_only["car"].recall == 0.5
    assert list(got.positive_only) == ["car"]


def test_a_set_of_positives_only_has_no_ap(tmp_path: Path) -> None:
    says = {"labelled_categories": [], "positive_only_categories": ["car"]}
    with pytest.raises(ValueError, match="no box to score"):
        figures(tmp_path, [Shot([CAR], says=says)], [[A_CAR]])


def test_a_detector_that_hides_low_scores_is_refused(tmp_path: Path) -> None:
    detector = Answers([A_CAR])
    detector.min_score = 0.3
    with pytest.raises(ValueError, match=r"hides scores below 0\.3.*min_score=0\.01"):
        evaluate(detector, a_set(tmp_path, Shot([CAR])))


def test_an_unreadable_image_in_the_middle_is_named(tmp_path: Path) -> None:
    labels = a_set(tmp_path, Shot([CAR]), Shot([CAR]), Shot([CAR]))
    labels.images[1].path.write_bytes(b"no image")
    with pytest.raises(ValueError, match=r"1\.png"):
        evaluate(Answers([], [], []), labels)


def test_every_image_is_told_of(tmp_path: Path) -> None:
    told: list[None] = []
    labels = a_set(tmp_path, Shot([CAR]), Shot(), Shot())
    evaluate(Answers([], [], []), labels, on_image=lambda: told.append(None))
    assert len(told) == 3


def test_few_images_give_a_wide_interval_around_the_figure(tmp_path: Path) -> None:
    shots = [Shot([CAR])] * 12
    got = figures(tmp_path / "half", shots, [[A_CAR] if at % 2 else [] for at in range(12)])
    low, high = got.classes["car"].AP50_interval or (1, 0)
    assert low < (got.classes["car"].AP50 or 0) < high
    assert high - low > 0.3
    all_right = figures(tmp_path / "all", shots, [[A_CAR]] * 12)
    assert list(all_right.AP50_interval or ()) == [PERFECT, PERFECT]


def test_too_few_boxes_have_no_interval(tmp_path: Path) -> None:
    got = figures(tmp_path, [Shot([CAR])] * 9, [[A_CAR]] * 9)
    assert got.classes["car"].AP50_interval is None
    assert got.AP50_interval is None


def test_intervals_repeat(tmp_path: Path) -> None:
    answers = [[A_CAR] if at % 3 else [] for at in range(12)]
    first, second = (figures(tmp_path / name, [Shot([CAR])] * 12, answers) for name in "ab")
    assert first.AP50_interval == second.AP50_interval


def test_json_has_the_agreed_keys_first_and_null_for_what_is_not_known(tmp_path: Path) -> None:
    told = as_json(figures(tmp_path, [Shot([CAR])], [[A_CAR]]))
    agreed = ["variant", "backend", "images", "AP", "AP50", "AP75", "classes"]
    assert list(told)[:7] == agreed
    assert told["classes"]["car"]["AP"] == pytest.approx(1)
    assert {"AP", "AP50", "recall"} <= set(told["classes"]["person"])
    assert told["classes"]["person"]["AP"] is None
    assert np.array(told["confusion"]["counts"]).shape == (4, 4)
    assert told["confusion"]["classes"][-1] == "background"


def test_a_manifest_can_carry_the_figures(tmp_path: Path) -> None:
    carried = accuracy(figures(tmp_path, [Shot([CAR])], [[A_CAR]]))
    assert carried.AP == PERFECT
    assert carried.classes["car"].boxes == 1
    assert carried.classes["person"].AP is None
