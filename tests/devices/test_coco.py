"""What a COCO file says is read; what it should not say is refused in one line."""

import json
from pathlib import Path
from typing import Any

import pytest

from stopline.devices.coco import load_image, read_coco
from tests.devices.labelled import CLASSES, HW, Shot, a_set, write_set

BOX = (8.0, 8.0, 24.0, 40.0)


def test_a_set_without_images_is_read_as_empty(tmp_path: Path) -> None:
    read = a_set(tmp_path)
    assert read.images == ()
    assert read.classes == CLASSES


def test_an_image_without_boxes_has_none(tmp_path: Path) -> None:
    [image] = a_set(tmp_path, Shot()).images
    assert image.boxes.shape == (0, 4)
    assert image.names == ()
    assert image.crowd.shape == (0,)


def test_one_box_is_xyxy_with_its_class(tmp_path: Path) -> None:
    [image] = a_set(tmp_path, Shot([("truck", BOX)])).images
    assert image.boxes.tolist() == [list(BOX)]
    assert image.names == ("truck",)
    assert not image.crowd.any()
    assert load_image(image).shape == (*HW, 3)


def test_boxes_find_their_image_whatever_their_order(tmp_path: Path) -> None:
    shots = [Shot([("car", (at, 0, at + 8, 8)), ("person", BOX)]) for at in range(4)]
    labels, images = write_set(tmp_path, shots)
    content = json.loads(labels.read_text())
    content["annotations"].reverse()
    labels.write_text(json.dumps(content))
    for at, image in enumerate(read_coco(labels, images).images):
        assert image.names == ("person", "car")
        assert image.boxes[1].tolist() == [at, 0, at + 8, 8]


def test_without_a_word_on_labels_every_class_is_labelled(tmp_path: Path) -> None:
    [image] = a_set(tmp_path, Shot()).images
    assert image.labelled == frozenset(CLASSES)
    assert image.positive_only == frozenset()
    assert image.labelled_as == {}


def test_partial_labels_are_read(tmp_path: Path) -> None:
    says = {
        "labelled_categories": ["car"],
        "positive_only_categories": ["person"],
        "labelled_as": {"truck": "car"},
        "near_dup_group": "a street",
    }
    [image] = a_set(tmp_path, Shot(says=says)).images
    assert image.labelled == {"car"}
    assert image.positive_only == {"person"}
    assert image.labelled_as == {"truck": "car"}
    assert image.group == "a street"


def test_the_weaker_of_two_claims_holds(tmp_path: Path) -> None:
    [image] = a_set(tmp_path, Shot(says={"positive_only_categories": ["car"]})).images
    assert image.labelled == {"truck", "person"}


def test_a_crowd_is_marked(tmp_path: Path) -> None:
    [image] = a_set(tmp_path, Shot([("car", BOX)], crowd=[("person", BOX)])).images
    assert image.names == ("car", "person")
    assert image.crowd.tolist() == [False, True]


def test_a_box_rounded_past_the_edge_is_clipped(tmp_path: Path) -> None:
    [image] = a_set(tmp_path, Shot([("car", (-1.5, 0, 97, 64.5))])).images
    assert image.boxes.tolist() == [[0, 0, 96, 64]]


@pytest.mark.parametrize("box", [(90, 0, 120, 8), (-9, 0, 8, 8), (0, 60, 8, 90), (20, 8, 8, 24)])
def test_a_box_outside_its_image_is_refused(tmp_path: Path, box: Any) -> None:
    with pytest.raises(ValueError, match=r"1\.png is 96x64, and has a box outside"):
        a_set(tmp_path, Shot(), Shot([("car", BOX), ("car", box)]))


def test_a_box_that_covers_nothing_is_left_out_and_counted(tmp_path: Path) -> None:
    read = a_set(tmp_path, Shot([("car", (8, 8, 24, 8)), ("person", BOX)]))
    assert read.images[0].names == ("person",)
    assert read.empty_boxes == 1


def changed(folder: Path, part: str, key: str, value: Any) -> tuple[Path, Path]:
    """A set whose first record of `part` says something else; None takes the key away."""
    labels, images = write_set(folder, [Shot([("car", BOX)])])
    content = json.loads(labels.read_text())
    if value is None:
        del content[part][0][key]
    else:
        content[part][0][key] = value
    labels.write_text(json.dumps(content))
    return labels, images


@pytest.mark.parametrize(
    ("part", "key", "value", "said"),
    [
        ("annotations", "category_id", 9, r"0\.png has a box of category 9; .* \[1, 2, 3\]"),
        ("annotations", "image_id", 9, "an annotation is of image 9"),
        ("annotations", "bbox", None, "missing required field `bbox`"),
        ("annotations", "bbox", [1, 2, 3], "length 4"),
        ("images", "file_name", None, "missing required field `file_name`"),
        ("images", "width", 0, "width"),
        ("images", "labelled_categories", ["van"], "labelled for van; categories has car"),
        ("images", "labelled_as", {"car": "van"}, "labelled for van"),
        ("categories", "name", "truck", "share an id or a name"),
        ("categories", "id", 2, "share an id or a name"),
    ],
)
def test_a_wrong_record_is_refused_in_one_line(
    tmp_path: Path, part: str, key: str, value: Any, said: str
) -> None:
    labels, images = changed(tmp_path, part, key, value)
    with pytest.raises(ValueError, match=said) as refused:
        read_coco(labels, images)
    assert "\n" not in str(refused.value)
    assert "labels.json" in str(refused.value)


def test_two_images_of_one_id_are_refused(tmp_path: Path) -> None:
    labels, images = write_set(tmp_path, [Shot(), Shot()])
    labels.write_text(labels.read_text().replace('"id": 1, "file', '"id": 0, "file'))
    with pytest.raises(ValueError, match="two images share an id"):
        read_coco(labels, images)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"images": []}', b"\xff\xfe\x00", b"text"])
def test_what_is_no_coco_file_is_refused(tmp_path: Path, content: bytes) -> None:
    labels = tmp_path / "labels.json"
    labels.write_bytes(content)
    with pytest.raises(ValueError, match=r"labels\.json is not COCO JSON"):
        read_coco(labels, tmp_path)


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="no-such"):
        read_coco(tmp_path / "no-such.json", tmp_path)


def test_absent_images_are_counted_and_the_option_named(tmp_path: Path) -> None:
    labels, images = write_set(tmp_path, [Shot(), Shot(), Shot()])
    (images / "1.png").unlink()
    with pytest.raises(OSError, match=r"1 of the 3 images .*1\.png.*--images"):
        read_coco(labels, images)


def test_an_image_is_not_opened_before_it_is_wanted(tmp_path: Path) -> None:
    labels, images = write_set(tmp_path, [Shot()])
    (images / "0.png").write_bytes(b"no image")
    [image] = read_coco(labels, images).images
    with pytest.raises(ValueError, match=r"0\.png"):
        load_image(image)


def test_an_image_of_another_size_than_its_labels_is_refused(tmp_path: Path) -> None:
    labels, images = changed(tmp_path, "images", "width", 192)
    [image] = read_coco(labels, images).images
    with pytest.raises(ValueError, match=r"0\.png' is 96x64, its labels were made at 192x64"):
        load_image(image)
