"""A detector in the graph contract, written as a bundle and checked before it appears."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace
from onnx import ModelProto

from stopline.export.card import model_card, shippable_sentence
from stopline.export.contract import ContractSettings, fitted_for, in_contract
from stopline.export.families import Recognised
from stopline.export.families.family import Family
from stopline.export.parity import Parity, Run, check_parity
from stopline.export.raw import ExportError, Raw, RawRunner
from stopline.export.selftest import selftest_npz
from stopline.runtime.arrays import Image
from stopline.runtime.bundle import Bundle, write_bundle
from stopline.runtime.manifest import (
    Accuracy,
    Input,
    Manifest,
    Provenance,
    Thresholds,
    Variant,
)

FP32 = "fp32.onnx"


@dataclass(frozen=True)
class About:
    """What a bundle says of itself that its graph does not."""

    name: str
    classes: tuple[str, ...]
    provenance: Provenance
    thresholds: Thresholds | None = None  # the family's, unless said
    notes: str = ""  # Markdown, for the end of the model card


@dataclass(frozen=True)
class ExportSettings:
    """`source` is what the bundle must equal: the raw file itself, unless a torch model is.

    `measure` is given the bundle when it has passed, and says how accurate it is.
    """

    contract: ContractSettings = field(default_factory=ContractSettings)
    source: Run | None = None
    measure: Callable[[Bundle], Accuracy] | None = None


class Exported(NamedTuple):
    """A bundle that is there, and how it compares with what it was made from."""

    bundle: Bundle
    parity: Parity


def export_bundle(
    where: Path,
    detector: Recognised,
    about: About,
    images: Sequence[Image],
    settings: ExportSettings | None = None,
) -> Exported:
    """Write `where` with graph, self-test and model card; `images` are for parity and self-test.

    Raises ExportError, and leaves no bundle, if the detector cannot be put in the contract or
    does not find the same there.
    """
    settings = settings or ExportSettings()
    graph, manifest = _drafted(detector, about, settings.contract)
    source = settings.source or _itself(fitted_for(*detector, settings.contract))
    with tempfile.TemporaryDirectory() as scratch:
        draft = write_bundle(Path(scratch) / "draft", manifest, {FP32: graph})
        parity = check_parity(draft, detector.family, source, images)
        selftest = selftest_npz(draft, images)
        accuracy = settings.measure(draft) if settings.measure else None
    manifest = _with_accuracy(manifest, accuracy)
    files = {
        FP32: graph,
        "selftest.npz": selftest,
        "README.md": model_card(manifest, parity, about.notes).encode(),
    }
    return Exported(write_bundle(where, manifest, files), parity)


def quick_bundle(
    where: Path,
    detector: Recognised,
    about: About,
    contract: ContractSettings | None = None,
) -> Bundle:
    """The graph alone, unchecked, for one who measures it next: validation during training."""
    graph, manifest = _drafted(detector, about, contract or ContractSettings())
    return write_bundle(where, manifest, {FP32: graph})


def refuse_unshippable(about: About) -> None:
    """Raise ExportError, naming the sources, unless all of them allow commercial use."""
    if not about.provenance.shippable:
        raise ExportError(
            f"{about.name} may not be shipped. {shippable_sentence(about.provenance)}"
        )


def _drafted(
    detector: Recognised, about: About, contract: ContractSettings
) -> tuple[bytes, Manifest]:
    raw, family = detector
    has = family.decode(raw.output, raw.input_hw).scores.shape[2]
    if has != len(about.classes):
        raise ExportError(
            f"{raw.name} has {has} classes, {len(about.classes)} were named: give their names, "
            f"in order, with --classes"
        )
    model = in_contract(raw, family, contract)
    return model.SerializeToString(), _manifest(model, family, about, contract.batch)


def _manifest(model: ModelProto, family: Family, about: About, batch: int) -> Manifest:
    frames = [dim.dim_value for dim in model.graph.input[0].type.tensor_type.shape.dim]
    scores = [dim.dim_value for dim in model.graph.output[1].type.tensor_type.shape.dim]
    return Manifest(
        schema=1,
        name=about.name,
        task="detect",
        classes=about.classes,
        input=Input(height=frames[1], width=frames[2], resize=family.resize, batch=batch),
        boxes=scores[1],
        thresholds=about.thresholds or family.thresholds,
        variants={"fp32": Variant(file=FP32, precision="fp32")},
        files={},
        provenance=about.provenance,
    )


def _itself(raw: Raw) -> Run:
    runner = RawRunner(raw.name, raw.model)
    (output,) = raw.outputs
    return lambda images: runner(images)[output]


def _with_accuracy(manifest: Manifest, accuracy: Accuracy | None) -> Manifest:
    measured = {
        name: replace(variant, accuracy=accuracy) for name, variant in manifest.variants.items()
    }
    return replace(manifest, variants=measured)
