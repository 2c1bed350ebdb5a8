"""`stopline export`, from the command line to the bundle."""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

from stopline.cli import main
from stopline.cli.export_variants import Asked, variants_settings
from stopline.export.families import Recognised
from stopline.runtime.bundle import open_bundle
from stopline.runtime.manifest import Provenance, Source
from stopline.train.checkpoint import Checkpoint, save_checkpoint
from stopline.train.yolox import ModelSettings, Yolox
from tests.export.tiny import BLUE, painted


@dataclass
class Ended:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    def refusal(self, code: int = 1) -> str:
        """One line, or click's usage and one line, and nothing on stdout."""
        assert self.code == code, self.err
        assert self.out == ""
        if code == 1:
            assert self.err.count("\n") == 1, self.err
        return self.err


class Export:
    """`stopline export …` in a folder of its own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, *words: str) -> Ended:
        self._monkeypatch.setattr(sys, "argv", ["stopline", "export", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        said = self._capsys.readouterr()
        return Ended(int(ended.value.code or 0), said.out, said.err)


@pytest.fixture
def export(
    tiny: Recognised,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Export:
    """In a folder with `tiny.onnx` and some `images`."""
    monkeypatch.chdir(tmp_path)
    onnx.save(tiny.raw.model, "tiny.onnx")
    Path("images").mkdir()
    for left in range(0, 32, 8):
        cv2.imwrite(f"images/red{left}.png", painted((left, 8, left + 32, 40)))
        cv2.imwrite(f"images/blue{left}.png", painted((left + 24, 8, left + 64, 40), BLUE))
    return Export(monkeypatch, capsys)


TINY = ("tiny.onnx", "-o", "bundle", "--classes", "red,blue", "--images", "images")
VOUCHED = ("--source-name", "paint by hand", "--licence", "CC0 1.0", "--commercial")


def test_an_onnx_file_becomes_a_bundle_with_a_report(export: Export) -> None:
    done = export(*TINY, *VOUCHED, "--require-shippable", "--json", "report.json")
    assert done.code == 0, done.err
    manifest = open_bundle("bundle").manifest
    told = json.loads(Path("report.json").read_text())
    assert told["family"] == "yolox"
    assert told["classes"] == ["red", "blue"]
    assert told["parity"]["matched"] == 1
    assert told["shippable"] is True
    assert told["sources"][0]["name"] == "paint by hand"
    assert told["files"].keys() == manifest.files.keys()
    assert manifest.provenance.command.startswith("stopline export tiny.onnx")
    assert "100.00% of" in done.out


def test_json_to_stdout_is_nothing_else(export: Export) -> None:
    done = export(*TINY, "--json", "-")
    assert json.loads(done.out)["name"] == "bundle"
    assert "the same answer" in done.err


def test_size_and_batch_can_be_chosen(export: Export) -> None:
    assert export(*TINY, "--input", "32x64", "--batch", "4", "--precision", "fp32").code == 0
    said = open_bundle("bundle").manifest.input
    assert (said.height, said.width, said.batch) == (32, 64, 4)


def test_a_file_nobody_vouches_for_may_not_be_shipped(export: Export) -> None:
    assert export(*TINY).code == 0
    assert not open_bundle("bundle").manifest.provenance.shippable
    refused = export(*TINY[:2], "other", *TINY[3:], "--require-shippable").refusal()
    assert "other may not be shipped. No: " in refused
    assert "tiny.onnx (unknown)" in refused
    assert not Path("other").exists()


def test_a_licence_without_a_word_on_commerce_is_not_enough(export: Export) -> None:
    assert export(*TINY, "--licence", "home-made").code == 0
    assert not open_bundle("bundle").manifest.provenance.shippable


def test_the_wrong_classes_are_refused(export: Export) -> None:
    refused = export("tiny.onnx", "-o", "bundle", "--images", "images").refusal()
    assert "tiny.onnx has 2 classes, 80 were named" in refused


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("absent.onnx", None, "no file 'absent.onnx': wanted a .pt, .onnx or bundle"),
        ("broken.onnx", b"not a graph at all", "broken.onnx is not an ONNX file"),
        ("empty.onnx", b"", "empty.onnx is not an ONNX file"),
        ("broken.pt", b"not a checkpoint", "broken.pt"),
        ("model.h5", b"\x89HDF", "model.h5 is neither .pt nor .onnx"),
    ],
)
def test_a_source_that_cannot_be_read_is_one_line(
    name: str, content: bytes | None, said: str, export: Export
) -> None:
    if content is not None:
        Path(name).write_bytes(content)
    assert said in export(name, "-o", "bundle", "--images", "images").refusal()
    assert not Path("bundle").exists()


def test_a_weight_that_is_no_number_is_named_with_the_node_that_reads_it(export: Export) -> None:
    model = onnx.load("tiny.onnx")
    conv = next(node for node in model.graph.node if node.op_type == "Conv")
    (weight,) = [one for one in model.graph.initializer if one.name == conv.input[1]]
    weight.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weight) * np.nan, weight.name))
    onnx.save(model, "tiny.onnx")
    refused = export(*TINY).refusal()
    assert "6 NaN among the 6 weights" in refused
    assert conv.name in refused


def test_a_file_of_another_family_is_one_line(export: Export) -> None:
    refused = export(*TINY, "--family", "fastestdet").refusal()
    assert "tiny.onnx is not of the family fastestdet" in refused


@pytest.mark.parametrize(
    "words",
    [
        ("tiny.onnx",),
        ("tiny.onnx", "-o", "bundle", "--input", "640"),
        ("tiny.onnx", "-o", "bundle", "--input", "0x64"),
        ("tiny.onnx", "-o", "bundle", "--batch", "0"),
        ("tiny.onnx", "-o", "bundle", "--family", "ssd"),
        ("tiny.onnx", "-o", "bundle", "--name", "a name"),
    ],
)
def test_wrong_usage_is_two(words: tuple[str, ...], export: Export) -> None:
    assert "Error: " in export(*words).refusal(code=2)


def test_images_that_are_not_there_are_one_line(export: Export) -> None:
    Path("nothing").mkdir()
    refused = export(*TINY[:-1], "nothing").refusal()
    assert "has no image in it" in refused
    assert "no images in absent" in export(*TINY[:-1], "absent").refusal()


def test_an_output_that_is_something_else_is_left_alone(export: Export) -> None:
    Path("bundle").mkdir()
    Path("bundle/diary.txt").write_text("mine")
    assert "not a bundle" in export(*TINY).refusal()
    assert Path("bundle/diary.txt").read_text() == "mine"


def test_fp16_is_made_and_gated_without_being_asked_for(export: Export) -> None:
    done = export(*TINY, "--json", "report.json")
    assert done.code == 0, done.err
    manifest = open_bundle("bundle").manifest
    assert list(manifest.variants) == ["fp32", "fp16"]
    said = manifest.variants["fp16"].fidelity
    assert said is not None
    assert (said.matched, said.images, said.scenes, said.AP_share) == (1, 0, 8, None)
    assert said.boxes >= 300
    told = json.loads(Path("report.json").read_text())["variants"]["fp16"]
    assert told["fidelity"]["boxes"] == said.boxes
    assert told["tensorrt"].startswith(("built", "not checked"))
    card = (Path("bundle") / "README.md").read_text()
    assert "| fp16 |" in card


def test_without_images_of_its_own_fp32_alone_is_made_and_the_rest_is_named() -> None:
    asked = Asked(None, None, None, 128, None, False, None, None)
    assert variants_settings(asked, None, has_images=False).wanted == ("fp32",)
    assert variants_settings(asked, None, has_images=True).wanted == ("fp32", "fp16")


def test_fp32_alone_can_be_asked_for(export: Export) -> None:
    assert export(*TINY, "--precision", "fp32").code == 0
    assert list(open_bundle("bundle").manifest.variants) == ["fp32"]


def test_too_few_boxes_to_show_that_fp16_is_the_same_leave_no_bundle(export: Export) -> None:
    Path("few").mkdir()
    cv2.imwrite("few/red.png", painted((8, 8, 40, 40)))
    refused = export(*TINY[:-1], "few").refusal()
    assert "fp16 refused, nothing was written: only " in refused
    assert "wanted 300" in refused
    assert "`--precision fp32` leaves it out" in refused
    assert not Path("bundle").exists()
    assert export(*TINY[:-1], "few", "--precision", "fp32").code == 0


def test_int8_without_calibration_names_the_option(export: Export) -> None:
    refused = export(*TINY, "--precision", "int8").refusal()
    assert "--calibrate COCO.json" in refused
    assert not Path("bundle").exists()


def test_int8_without_labels_names_the_option(export: Export) -> None:
    refused = export(*TINY, "--calibrate", "images").refusal()
    assert "INT8 is gated on AP, which takes labels" in refused
    assert "--data COCO.json" in refused


def test_an_unknown_precision_is_wrong_usage(export: Export) -> None:
    refused = export(*TINY, "--precision", "fp32,bf16").refusal(code=2)
    assert "'bf16': wanted some of fp32,fp16,int8" in refused


def test_variants_are_added_to_a_bundle_that_keeps_the_rest(export: Export) -> None:
    Path("notes.md").write_text("## Known failures\n\nNight.\n")
    assert export(*TINY, *VOUCHED, "--precision", "fp32", "--notes", "notes.md").code == 0
    before = open_bundle("bundle")
    graph, selftest = ((before.path / name).read_bytes() for name in ("fp32.onnx", "selftest.npz"))
    done = export("bundle", "-o", "bundle", "--images", "images")
    assert done.code == 0, done.err
    after = open_bundle("bundle")
    assert list(after.manifest.variants) == ["fp32", "fp16"]
    assert (after.path / "fp32.onnx").read_bytes() == graph
    assert (after.path / "selftest.npz").read_bytes() == selftest
    assert after.manifest.provenance.sources == before.manifest.provenance.sources
    assert after.manifest.provenance.command.endswith(
        "&& stopline export bundle -o bundle --images images"
    )
    card = (after.path / "README.md").read_text()
    assert "Night." in card
    assert "100.00% of" in card
    assert card.index("## Precisions") < card.index("## The same answer")


@pytest.mark.parametrize(
    "words", [("--classes", "a,b"), ("--batch", "2"), ("--input", "64x96"), ("--commercial",)]
)
def test_what_a_bundle_says_itself_cannot_be_said_again(
    words: tuple[str, ...], export: Export
) -> None:
    assert export(*TINY, "--precision", "fp32").code == 0
    assert "is not for a bundle" in export("bundle", "-o", "other", *words).refusal(code=2)


def test_a_broken_bundle_is_no_source(export: Export) -> None:
    assert export(*TINY, "--precision", "fp32").code == 0
    Path("bundle/fp32.onnx").write_bytes(b"other")
    assert "its manifest says" in export("bundle", "-o", "other").refusal()
    assert not Path("other").exists()


@pytest.mark.parametrize("where", ["locked/bundle", "locked"])
def test_a_folder_that_cannot_be_written_is_one_line(where: str, export: Export) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    Path("locked").mkdir(mode=0o500)
    assert "locked" in export(TINY[0], "-o", where, *TINY[3:]).refusal()


def test_an_interrupted_export_leaves_nothing(
    export: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", interrupt)
    ended = export(*TINY, "--precision", "fp32")
    assert ended.code == 130
    assert "interrupted" in ended.err
    assert sorted(path.name for path in Path.cwd().iterdir()) == ["images", "tiny.onnx"]


@pytest.mark.journey
def test_a_checkpoint_becomes_a_bundle_that_names_its_sources(export: Export) -> None:
    sources = (
        Source(name="paint", licence="CC0 1.0", commercial=True),
        Source(name="CamVid", licence="CC BY-NC 4.0", commercial=False),
    )
    trained = Provenance(
        created="2026-01-01", stopline="0", command="stopline train x.toml", sources=sources
    )
    # Untrained, it is to find something everywhere, and that of one class: something to compare.
    state = Yolox(2, ModelSettings()).state_dict()
    for level in range(3):
        state[f"head.obj_preds.{level}.bias"].fill_(1.0)
        state[f"head.cls_preds.{level}.bias"].copy_(torch.tensor([1.0, -1.0]))
    checkpoint = Checkpoint(("red", "blue"), ModelSettings(), (64, 96), trained, state)
    save_checkpoint(Path("best.pt"), checkpoint)
    words = ("best.pt", "-o", "bundle", "--images", "images", "--precision", "fp32")
    assert "CamVid (CC BY-NC 4.0)" in export(*words, "--require-shippable").refusal()
    assert "--classes is for an ONNX file" in export(*words, "--classes", "a,b").refusal(code=2)
    done = export(*words)
    assert done.code == 0, done.err
    provenance = open_bundle("bundle").manifest.provenance
    assert provenance.sources == sources
    assert provenance.command.startswith("stopline train x.toml && stopline export best.pt")
