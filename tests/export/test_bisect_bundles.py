"""Two bundles compared: what lies around their graphs, and what a person is shown."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from msgspec.structs import replace
from onnx import ModelProto, numpy_helper
from rich.console import Console

from stopline.export.bisect import (
    BisectSettings,
    Parting,
    Side,
    layers_table,
    parted_bundles,
    picture,
    table,
)
from stopline.export.bundle import FP32, quick_bundle
from stopline.export.half import fp16_model
from stopline.export.raw import ExportError
from stopline.runtime.arrays import Image
from stopline.runtime.bundle import Bundle, write_bundle
from stopline.runtime.manifest import Input, Manifest, Variant
from tests.export.deep import HW_DEEP, deep_detector
from tests.export.tiny import tiny_about

FP16 = "fp16.onnx"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return quick_bundle(tmp_path_factory.mktemp("deep") / "bundle", deep_detector(), tiny_about())


@pytest.fixture(scope="module")
def images() -> list[Image]:
    """Taller than the input, so that a letterbox pads them."""
    random = np.random.default_rng(1)
    return [random.integers(0, 256, (120, 90, 3)).astype(np.uint8) for _ in range(2)]


def like(
    bundle: Bundle,
    where: Path,
    edit: Callable[[Manifest], Manifest] = lambda manifest: manifest,
    graph: Callable[[ModelProto], ModelProto] = fp16_model,
) -> Bundle:
    """The same bundle with a second variant, and another manifest."""
    whole = bundle.variant_path("fp32").read_bytes()
    variants = bundle.manifest.variants | {"fp16": Variant(file=FP16, precision="fp16")}
    manifest = edit(replace(bundle.manifest, variants=variants))
    half = graph(onnx.load_from_string(whole)).SerializeToString()
    return write_bundle(where, manifest, {FP32: whole, FP16: half})


def laid_otherwise(**said: object) -> Callable[[Manifest], Manifest]:
    def edit(manifest: Manifest) -> Manifest:
        shape: Input = replace(manifest.input, **said)
        return replace(manifest, input=shape)

    return edit


def louder(model: ModelProto) -> ModelProto:
    """One channel of the layer `net/node_flat`."""
    weight = next(each for each in model.graph.initializer if each.name == "net/flat.weight")
    values = numpy_helper.to_array(weight).copy()
    values[3] *= 2
    weight.CopyFrom(numpy_helper.from_array(values, weight.name))
    return fp16_model(model)


def printed(*shown: object) -> str:
    console = Console(width=100, file=io.StringIO())
    with console.capture() as captured:
        console.print(*shown)
    return captured.get()


@pytest.fixture(scope="module")
def broken(
    bundle: Bundle, images: list[Image], tmp_path_factory: pytest.TempPathFactory
) -> Parting:
    other = like(bundle, tmp_path_factory.mktemp("broken") / "bundle", graph=louder)
    return parted_bundles(Side(bundle), Side(other, "fp16"), images)


def test_a_bundle_does_not_part_from_itself(bundle: Bundle, images: list[Image]) -> None:
    assert parted_bundles(Side(bundle), Side(bundle), images).place is None


def test_two_variants_of_one_bundle(bundle: Bundle, images: list[Image], tmp_path: Path) -> None:
    both = like(bundle, tmp_path / "both")
    parting = parted_bundles(Side(both, "fp32"), Side(both, "fp16"), images)
    assert parting.place is None
    assert parting.end
    assert parting.end.precision == "float16"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"pad": 0}, "the frames already differ: padding 0 against 114"),
        (
            {"resize": "stretch"},
            "the frames already differ: resize stretch against letterbox_top_left",
        ),
        (
            {"resize": "letterbox_center"},
            "the frames already differ: resize letterbox_center against letterbox_top_left",
        ),
        ({"height": 96}, "the frames already differ: input 96x96 against 64x96"),
    ],
)
def test_frames_that_are_laid_otherwise(
    bundle: Bundle, images: list[Image], tmp_path: Path, said: dict[str, object], reason: str
) -> None:
    other = like(bundle, tmp_path / "other", laid_otherwise(**said))
    parting = parted_bundles(Side(bundle), Side(other), images)
    assert parting.place == "frames"
    assert str(parting) == reason


def test_images_that_need_no_padding_do_not_show_another(bundle: Bundle, tmp_path: Path) -> None:
    other = like(bundle, tmp_path / "other", laid_otherwise(pad=0))
    full = np.full((*HW_DEEP, 3), 90, np.uint8)
    assert parted_bundles(Side(bundle), Side(other), [full]).place is None


def test_classes_in_another_order(bundle: Bundle, images: list[Image], tmp_path: Path) -> None:
    other = like(bundle, tmp_path / "other", lambda said: replace(said, classes=("blue", "red")))
    parting = parted_bundles(Side(bundle), Side(other), images)
    assert parting.place == "classes"
    assert str(parting).endswith("the manifests do not: class 0 is blue against red")


def test_no_images_is_an_error(bundle: Bundle) -> None:
    with pytest.raises(ExportError, match="no images"):
        parted_bundles(Side(bundle), Side(bundle), [])


def test_the_table_names_the_layer_and_what_it_does(broken: Parting) -> None:
    shown = printed(table(broken))
    assert "1 of 62 tensors have more noise" in shown
    assert shown.count("net/node_flat") == 2
    assert "pointwise Conv" in shown
    assert "100.0%" in shown
    assert printed(layers_table(broken)).count("net/") > 30


def test_the_line_names_the_layer(broken: Parting) -> None:
    assert str(broken).startswith("they part at net/node_flat (pointwise Conv, float16: signal to")


def test_the_json_has_every_tensor_and_no_infinity(broken: Parting) -> None:
    tree = json.loads(json.dumps(broken.as_json(), allow_nan=False))
    assert tree["place"] == "net/node_flat"
    assert [row["place"] for row in tree["compared"] if row["parts"]] == ["net/node_flat"]
    assert tree["compared"][0]["own_db"] is None


def test_the_picture_is_drawn(broken: Parting, tmp_path: Path) -> None:
    picture(broken, tmp_path / "parting.png")
    drawn = cv2.imread(str(tmp_path / "parting.png"))
    assert drawn is not None
    red = (np.abs(drawn.astype(int) - (0x5B, 0x49, 0xD1)).sum(axis=-1) < 12).sum()
    assert red > 200  # the ring, the name and the floor


def test_a_picture_of_frames_that_differ(
    bundle: Bundle, images: list[Image], tmp_path: Path
) -> None:
    other = like(bundle, tmp_path / "other", laid_otherwise(height=96))
    picture(parted_bundles(Side(bundle), Side(other), images), tmp_path / "frames.png")
    assert (tmp_path / "frames.png").stat().st_size > 1000


def test_progress_ends_at_one(bundle: Bundle, images: list[Image]) -> None:
    shares: list[float] = []
    parted_bundles(Side(bundle), Side(bundle), images, BisectSettings(on_step=shares.append))
    assert shares == sorted(shares)
    assert shares[-1] == 1
