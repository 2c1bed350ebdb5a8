"""A detector in the graph contract, written as a bundle and checked before it appears."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace
from onnx import ModelProto

from stopline.devices.coco import CocoSet
from stopline.devices.fidelity import Evidence
from stopline.export.card import model_card, shippable_sentence, updated_card
from stopline.export.contract import ContractSettings, fitted_for, in_contract
from stopline.export.families import Recognised
from stopline.export.families.family import Family
from stopline.export.parity import Parity, Run, check_parity
from stopline.export.raw import ExportError, Raw, RawRunner
from stopline.export.selftest import selftest_npz
from stopline.export.sound import refuse_unsound
from stopline.export.variants import (
    Made,
    OnStep,
    VariantsSettings,
    refuse_ungateable,
    with_variants,
)
from stopline.runtime.arrays import Image
from stopline.runtime.bundle import Bundle, write_bundle
from stopline.runtime.manifest import (
    Input,
    Manifest,
    Provenance,
    Thresholds,
    Variant,
)
from stopline.runtime.selftest import SELFTEST

CARD = "README.md"
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

    `labelled` is what the variants are measured on, and what they are gated by.
    """

    contract: ContractSettings = field(default_factory=ContractSettings)
    source: Run | None = None
    labelled: CocoSet | None = None
    where: str = "the images given"  # that are without labels
    variants: VariantsSettings = field(default_factory=VariantsSettings)
    on_step: OnStep = lambda text, done: None


class Exported(NamedTuple):
    """A bundle that is there, and how it compares with what it was made from."""

    bundle: Bundle
    parity: Parity | None  # None where variants were added to a bundle
    made: tuple[Made, ...]


def export_bundle(
    where: Path,
    detector: Recognised,
    about: About,
    images: Sequence[Image],
    settings: ExportSettings | None = None,
) -> Exported:
    """Write `where` with graphs, self-test and model card; `images` are for parity and self-test.

    Raises ExportError, and leaves no bundle, if the detector cannot be put in the contract or
    does not find the same there, GateError if a variant does not.
    """
    settings = settings or ExportSettings()
    evidence = _evidence(images, settings)
    refuse_ungateable(evidence, settings.variants)
    graph, manifest = _drafted(detector, about, settings.contract)
    source = settings.source or _itself(fitted_for(*detector, settings.contract))
    with tempfile.TemporaryDirectory() as scratch:
        draft = write_bundle(Path(scratch) / "draft", manifest, {FP32: graph})
        parity = check_parity(draft, detector.family, source, images)
        selftest = selftest_npz(draft, images)
        made = with_variants(draft, evidence, settings.variants, settings.on_step)
    manifest = _with(manifest, made)
    files = {
        **_graphs(made),
        SELFTEST: selftest,
        CARD: model_card(manifest, parity, about.notes).encode(),
    }
    return Exported(write_bundle(where, manifest, files), parity, made)


def extended_bundle(
    where: Path, bundle: Bundle, images: Sequence[Image], settings: ExportSettings
) -> Exported:
    """Write `where` with the variants that are wanted beside those that `bundle` has.

    What it has is kept to the byte, but for the manifest and what the card says of the variants.
    `where` may be the bundle itself, which is then replaced in one step. Raises as `export_bundle`.
    """
    files = {name: (bundle.path / name).read_bytes() for name in bundle.manifest.files}
    made = with_variants(bundle, _evidence(images, settings), settings.variants, settings.on_step)
    manifest = _with(bundle.manifest, made)
    files |= _graphs(made)
    card = files.get(CARD, b"").decode(errors="replace")
    files[CARD] = (updated_card(card, manifest) if card else model_card(manifest)).encode()
    return Exported(write_bundle(where, manifest, files), None, made)


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
    refuse_unsound(model)
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


def _evidence(images: Sequence[Image], settings: ExportSettings) -> Evidence:
    labelled = settings.labelled
    return Evidence(images, settings.where if labelled is None else labelled.name, labelled)


def _graphs(made: Sequence[Made]) -> dict[str, bytes]:
    return {one.variant.file: one.graph for one in made}


def _with(manifest: Manifest, made: Sequence[Made]) -> Manifest:
    """What was measured before stays where nothing was measured now."""
    variants = dict(manifest.variants)
    for one in made:
        precision = one.variant.precision
        before = variants.get(precision)
        fresh = one.variant.accuracy is not None or before is None or precision != "fp32"
        variants[precision] = one.variant if fresh or before is None else before
    return replace(manifest, variants=variants)
