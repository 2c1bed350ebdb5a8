"""The model card: what a bundle is, what it was made from and how well it does, for people."""

import re
from collections.abc import Iterable, Iterator, Sequence

from stopline.export.parity import Parity
from stopline.runtime.manifest import Accuracy, Input, Manifest, Provenance, Variant

Row = Sequence[object]

THRESHOLDS = "## Thresholds"
PRECISIONS = "## Precisions"
ACCURACY = "## Accuracy, "
OF_VARIANTS = (PRECISIONS, ACCURACY)


def model_card(manifest: Manifest, parity: Parity | None = None, notes: str = "") -> str:
    """`README.md` of a bundle. `notes` is Markdown that its maker adds at the end."""
    sections = [
        f"# {manifest.name}\n\n{_sentence(manifest)}",
        f"## May it be shipped?\n\n{shippable_sentence(manifest.provenance)}",
        f"## Made from\n\n{_sources(manifest.provenance)}",
        f"## Input\n\n{_input(manifest.input)}",
        f"{THRESHOLDS}\n\n{_thresholds(manifest)}",
        *_of_variants(manifest),
    ]
    if parity is not None:
        sections.append(f"## The same answer\n\nAgainst the detector it was made from: {parity}.")
    sections += [notes.strip()] if notes.strip() else []
    return "\n\n".join(sections) + "\n"


def updated_card(card: str, manifest: Manifest) -> str:
    """The same card, where it tells of variants written anew; all else in it is kept."""
    sections = re.split(r"(?m)^(?=## )", card)
    kept = [one for one in sections if not one.startswith(OF_VARIANTS)]
    after = [at for at, one in enumerate(kept) if one.startswith(THRESHOLDS)]
    place = after[0] + 1 if after else len(kept)
    fresh = [section + "\n\n" for section in _of_variants(manifest)]
    return "".join([*kept[:place], *fresh, *kept[place:]]).rstrip() + "\n"


def shippable_sentence(provenance: Provenance) -> str:
    """Yes or no, and the sources that decide it."""
    refused = [f"{one.name} ({one.licence})" for one in provenance.sources if not one.commercial]
    if not provenance.sources:
        return "No: nothing is known of the data and weights it was made from."
    if refused:
        return f"No: commercial use is not allowed, or not known to be, by {', '.join(refused)}."
    return "Yes: every source below allows commercial use."


def _sentence(manifest: Manifest) -> str:
    classes = manifest.classes
    shown = ", ".join(classes[:12]) + (" …" if len(classes) > 12 else "")
    return f"Detects {len(classes)} classes: {shown}. At most {manifest.boxes} boxes an image."


def _sources(provenance: Provenance) -> str:
    rows = [
        (one.name, one.licence, _yes(one.commercial), _known(one.images), one.url or "")
        for one in provenance.sources
    ]
    table = _table(("source", "licence", "commercial use", "images", "where"), rows)
    made = f"Written {provenance.created} by stopline {provenance.stopline}:"
    return f"{table if rows else 'Unknown.'}\n\n{made}\n\n    {provenance.command}"


def _input(said: Input) -> str:
    laid = {
        "letterbox_top_left": f"scaled to fit, at the top left, the rest {said.pad}",
        "letterbox_center": f"scaled to fit, in the middle, the rest {said.pad}",
        "stretch": "stretched to fill, whatever their shape",
    }[said.resize]
    batch = "1" if said.batch == 1 else f"1 to {said.batch}"
    return (
        f"`frames` uint8 ({batch}, {said.height}, {said.width}, 3), BGR. Images are {laid}. "
        f"Normalisation is in the graph."
    )


def _thresholds(manifest: Manifest) -> str:
    said = manifest.thresholds
    nms = f"NMS per class at IoU {said.max_iou}" if said.max_iou is not None else "no NMS"
    return f"Reported from a score of {said.min_score}; {nms}."


def _of_variants(manifest: Manifest) -> Iterator[str]:
    if len(manifest.variants) > 1:
        yield f"{PRECISIONS}\n\n{_precisions(manifest)}"
    for name, variant in manifest.variants.items():
        yield f"{ACCURACY}{name}\n\n{_accuracy(variant.accuracy)}"


def _precisions(manifest: Manifest) -> str:
    """How far each answers as FP32 does, and with what arithmetic that was measured."""
    head = ("variant", "of FP32's AP", "95 %", "boxes matched", "score, mean", "INT8", "measured")
    rows = [
        (
            name,
            _percent(said.AP_share),
            _range(said.AP_interval),
            f"{said.matched:.2%} of {said.boxes}",
            f"{said.mean_score_difference:.4f}",
            _percent(variant.int8_macs),
            f"{said.arithmetic}, {said.images or said.scenes} images of {said.dataset}",
        )
        for name, variant in manifest.variants.items()
        if (said := variant.fidelity) is not None
    ]
    lines = [_table(head, rows)]
    lines += [_kept(name, variant) for name, variant in manifest.variants.items()]
    lines.append("INT8 is the share of the multiply-accumulates that are done in it.")
    return "\n\n".join(line for line in lines if line)


def _kept(name: str, variant: Variant) -> str:
    """By class, and what gave the ranges."""
    said, calibration = variant.fidelity, variant.calibration
    if said is None:
        return ""
    rows = [
        (of, one.boxes, _percent(one.share), _range(one.interval))
        for of, one in said.classes.items()
    ]
    shown = _table(("class", "boxes", f"{name} keeps of FP32's AP", "95 %"), rows) if rows else ""
    if calibration is None:
        return shown
    strata = ", ".join(f"{of} {count}" for of, count in calibration.strata.items())
    return (
        f"{shown}\n\nThe ranges of {name} come from {calibration.images} images of "
        f"{calibration.dataset} ({strata}), sha256 `{calibration.sha256}`."
    )


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"


def _range(interval: tuple[float, float] | None) -> str:
    return "" if interval is None else f"{interval[0]:.3f} to {interval[1]:.3f}"


def _accuracy(said: Accuracy | None) -> str:
    if said is None:
        return "Not measured. `stopline eval BUNDLE --data COCO.json` measures it."
    rows = [
        (name, one.boxes, _known(one.AP), _known(one.AP50), _known(one.recall))
        for name, one in said.classes.items()
    ]
    total = sum(one.boxes for one in said.classes.values())
    rows.append(("all", total, _known(said.AP), _known(said.AP50), ""))
    table = _table(("class", "boxes", "AP", "AP50", "recall"), rows)
    return f"On {said.dataset}, {said.images} images, through {said.backend}:\n\n{table}"


def _table(head: Row, rows: Iterable[Row]) -> str:
    lines = (head, ["---"] * len(head), *rows)
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def _known(value: float | None) -> str:
    if value is None:
        return "unknown"
    return str(value) if isinstance(value, int) else f"{value:.3f}"


def _yes(value: bool) -> str:
    return "yes" if value else "no"
