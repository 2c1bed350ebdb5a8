"""The calibration set: what is picked, what is refused, and what its hash is of."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from stopline.devices.coco import CocoSet, read_coco
from stopline.export.quantize.calibration import (
    calibration_from_folder,
    calibration_set,
)
from stopline.export.raw import ExportError
from stopline.runtime.arrays import Image
from stopline.runtime.letterbox import letterbox
from stopline.runtime.manifest import Input

SHAPE = Input(height=64, width=96, resize="letterbox_center", pad=114)
HW = (48, 64)


def picture(seed: int) -> Image:
    """A blurred one of its own, as photographs differ from each other in the large."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    smooth: Image = np.asarray(cv2.resize(coarse, HW[::-1], interpolation=cv2.INTER_CUBIC))
    return smooth


def write(where: Path, image: Image) -> None:
    where.parent.mkdir(parents=True, exist_ok=True)
    encoded = cv2.imencode(where.suffix, image, [cv2.IMWRITE_JPEG_QUALITY, 60])[1]
    where.write_bytes(encoded.tobytes())


def labelled(
    folder: Path, shows: Sequence[tuple[str, ...]], seed: int = 0, **says: Sequence[Any]
) -> CocoSet:
    """Image i shows the classes `shows[i]`, and its record says `says[key][i]`."""
    names = sorted({name for classes in shows for name in classes}) or ["car"]
    images: list[dict[str, Any]] = []
    boxes: list[dict[str, Any]] = []
    for at, classes in enumerate(shows):
        write(folder / f"{at:03}.png", picture(seed + at))
        record = {"id": at, "file_name": f"{at:03}.png", "width": HW[1], "height": HW[0]}
        images.append({**record, **{key: values[at] for key, values in says.items()}})
        for name in classes:
            label = {"image_id": at, "category_id": names.index(name), "bbox": [1, 1, 9, 9]}
            boxes.append({"id": len(boxes), "iscrowd": 0, **label})
    content = {
        "images": images,
        "annotations": boxes,
        "categories": [{"id": at, "name": name} for at, name in enumerate(names)],
    }
    where = folder / "labels.json"
    where.write_text(json.dumps(content))
    return read_coco(where, folder)


def test_rare_classes_come_first_and_the_rest_is_spread_over_the_set(tmp_path: Path) -> None:
    shows: list[tuple[str, ...]] = [("car",)] * 200
    for at in (3, 77, 150):
        shows[at] = ("bus", "car")
    shows[100] = ()
    about = calibration_set(labelled(tmp_path, shows), SHAPE, 40).about
    assert about.images == 40
    assert about.strata["bus"] == 3, "all there are"
    assert about.strata["car"] == 40 - about.strata.get("no object", 0)
    assert about.dataset == "labels.json"


def test_every_part_of_a_sorted_set_is_drawn_from(tmp_path: Path) -> None:
    coco = labelled(tmp_path, [("day",)] * 100 + [("night",)] * 100)
    strata = calibration_set(coco, SHAPE, 48).about.strata
    assert strata == {"day": 24, "night": 24}


def test_one_drive_does_not_fill_the_set(tmp_path: Path) -> None:
    groups = ["long drive"] * 80 + [f"short {at}" for at in range(40)]
    shows = [("drive",)] * 80 + [("other",)] * 40
    alone = labelled(tmp_path / "a", shows[:120])
    grouped = labelled(tmp_path / "b", shows, near_dup_group=groups)
    one_class = labelled(tmp_path / "c", [("car",)] * 120, near_dup_group=groups)
    assert calibration_set(alone, SHAPE, 40).about.strata["drive"] > 15
    assert calibration_set(grouped, SHAPE, 40).about.strata["drive"] > 12, "a class has its share"
    frames = calibration_set(one_class, SHAPE, 40).frames
    drive = [frame for frame in frames if any((frame == f).all() for f in laid(range(80)))]
    assert len(drive) == 1, "40 short drives and one frame of the long one: 41 groups, 40 places"


def laid(seeds: range) -> list[Image]:
    frames = []
    for seed in seeds:
        frame = np.empty((64, 96, 3), np.uint8)
        letterbox(picture(seed), frame, SHAPE.resize, SHAPE.pad)
        frames.append(frame)
    return frames


def test_frames_are_laid_as_the_runtime_lays_them_and_hashed_in_order(tmp_path: Path) -> None:
    coco = labelled(tmp_path, [("car",)] * 32)
    one, again = (calibration_set(coco, SHAPE, 32) for _ in range(2))
    assert (one.frames == np.stack(laid(range(32)))).all()
    assert one.about.sha256 == again.about.sha256
    assert one.about.sha256 == hashlib.sha256(one.frames.tobytes()).hexdigest()
    other = Input(height=64, width=96, resize="letterbox_center", pad=0)
    assert calibration_set(coco, other, 32).about.sha256 != one.about.sha256


@pytest.mark.parametrize(("there", "wanted"), [(31, 128), (60, 31), (0, 128)])
def test_too_few_are_refused(tmp_path: Path, there: int, wanted: int) -> None:
    coco = labelled(tmp_path, [("car",)] * there)
    with pytest.raises(ExportError, match=rf"on {min(there, wanted)} images.* wanted 32 or more"):
        calibration_set(coco, SHAPE, wanted)


def test_black_pictures_are_refused_by_name_though_the_padding_is_grey(tmp_path: Path) -> None:
    coco = labelled(tmp_path, [("car",)] * 40)
    for image in coco.images[5:]:
        write(image.path, np.zeros((*HW, 3), np.uint8))
    with pytest.raises(ExportError, match=r"of 40 images 5 show .*35 of one colour: .*005\.png"):
        calibration_set(coco, SHAPE)


def test_a_sensor_with_its_cap_on_is_of_one_colour(tmp_path: Path) -> None:
    coco = labelled(tmp_path, [("car",)] * 40)
    random = np.random.default_rng(0)
    for image in coco.images:
        write(image.path, random.integers(14, 19, (*HW, 3), np.uint8))
    with pytest.raises(ExportError, match="40 of one colour"):
        calibration_set(coco, SHAPE)


def test_one_picture_many_times_is_refused(tmp_path: Path) -> None:
    for at in range(40):
        write(tmp_path / "p" / f"{at}.jpg", picture(1) // 2 + at % 3)
    with pytest.raises(ExportError, match="39 nearly the same as another"):
        calibration_from_folder(tmp_path / "p", SHAPE)


def test_a_few_copies_are_left_out(tmp_path: Path) -> None:
    coco = labelled(tmp_path, [("car",)] * 40)
    write(coco.images[7].path, picture(6))
    calibration = calibration_set(coco, SHAPE)
    assert len(calibration.frames) == calibration.about.images == 39


def test_an_unreadable_image_is_refused_by_name(tmp_path: Path) -> None:
    coco = labelled(tmp_path, [("car",)] * 40)
    coco.images[7].path.write_bytes(b"\x89PNG, not")
    with pytest.raises(ExportError, match=r"calibration image: .*007\.png"):
        calibration_set(coco, SHAPE)


def test_the_set_it_is_judged_on_is_refused(tmp_path: Path) -> None:
    coco = labelled(tmp_path, [("car",)] * 40)
    with pytest.raises(ExportError, match=r"40 of 40 .* are in labels\.json.*the same file"):
        calibration_set(coco, SHAPE, apart_from=coco)


def test_a_picture_of_that_set_is_known_by_what_it_shows(tmp_path: Path) -> None:
    training = labelled(tmp_path / "train", [("car",)] * 40)
    judged = labelled(tmp_path / "val", [("car",)] * 40, seed=1000)
    assert calibration_set(training, SHAPE, apart_from=judged).about.images == 40
    renamed = np.asarray(cv2.resize(picture(1003), (160, 120)), np.uint8)
    write(tmp_path / "again.jpg", renamed)
    training.images[11].path.write_bytes((tmp_path / "again.jpg").read_bytes())
    plain = [image.path for image in training.images]
    for path in plain:
        (tmp_path / "folder" / path.name).parent.mkdir(exist_ok=True)
        (tmp_path / "folder" / path.name).write_bytes(path.read_bytes())
    with pytest.raises(ExportError, match=r"1 of 40 .*011\.png \(shows the same as 003\.png"):
        calibration_from_folder(tmp_path / "folder", SHAPE, apart_from=judged)


def test_a_neighbour_in_a_drive_of_that_set_is_refused(tmp_path: Path) -> None:
    shows, source = [("car",)] * 40, ["a camera"] * 40
    ours = [f"drive {at}" for at in range(40)]
    theirs = [ours[0], *(f"other {at}" for at in range(39))]
    training = labelled(tmp_path / "train", shows, near_dup_group=ours, source=source)
    judged = labelled(tmp_path / "val", shows, 1000, near_dup_group=theirs, source=source)
    with pytest.raises(ExportError, match=r"1 of 40 .*000\.png \(of one group with 000\.png"):
        calibration_set(training, SHAPE, apart_from=judged)


def test_equal_group_numbers_of_two_sources_mean_nothing(tmp_path: Path) -> None:
    groups = list(range(40))
    training = labelled(tmp_path / "train", [("car",)] * 40, near_dup_group=groups)
    judged = labelled(tmp_path / "val", [("car",)] * 40, seed=1000, near_dup_group=groups)
    assert calibration_set(training, SHAPE, apart_from=judged).about.images == 40


def test_a_folder_says_that_nothing_is_known_of_its_images(tmp_path: Path) -> None:
    for at in range(50):
        write(tmp_path / "drive" / f"{at:02}.png", picture(at))
    calibration = calibration_from_folder(tmp_path / "drive", SHAPE, 40)
    assert calibration.about.strata == {"unlabelled": 40}
    assert calibration.about.dataset == "drive"


@pytest.mark.data
def test_the_public_splits_share_no_picture(data_pack: Path) -> None:
    splits = data_pack / "splits"
    training, judged = (
        read_coco(splits / f"public_{part}.json", data_pack / "images") for part in ("train", "val")
    )
    strata = calibration_set(training, Input(height=416, width=416), 128, judged).about.strata
    assert min(strata[name] for name in training.classes) >= 10
