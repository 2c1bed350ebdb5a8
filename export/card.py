"""The model card: what a bundle is, what it was made from and how well it does, for people."""

from collections.abc import Iterable, Sequence

from stopline.export.parity import Parity
from stopline.runtime.manifest import Accuracy, Input, Manifest, Provenance

Row = Sequence[object]


def model_card(manifest: Manifest, parity: Parity | None = None, notes: str = "") -> str:
    """`README.md` of a bundle. `notes` is Markdown that its maker adds at the end."""
    accuracy = {name: variant.accuracy for name, variant in manifest.variants.items()}
    sections = [
        f"# {manifest.name}\n\n{_sentence(manifest)}",
        f"## May it be shipped?\n\n{shippable_sentence(manifest.provenance)}",
        f"## Made from\n\n{_sources(manifest.provenance)}",
        f"## Input\n\n{_input(manifest.input)}",
        f"## Thresholds\n\n{_thresholds(manifest)}",
        *(f"## Accuracy, {name}\n\n{_accuracy(said)}" for name, said in accuracy.items()),
    ]
    if parity is not None:
        sections.append(f"## The same answer\n\nAgainst the detector it was made from: {parity}.")
    sections += [notes.strip()] if notes.strip() else []
    return "\n\n".join(sections) + "\n"


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
