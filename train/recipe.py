"""A recipe: everything that decides what a training run gives, in one TOML file.

Paths in it are relative to the recipe, or to the folder given by `--data`.
"""

import difflib
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from stopline.train.yolox import ModelSettings

SHIPPED = Path(__file__).parent / "recipes"
STRIDE = 32  # what both sides of an input must be a multiple of

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Positive = Annotated[float, msgspec.Meta(gt=0)]
Count = Annotated[int, msgspec.Meta(ge=1)]
Side = Annotated[int, msgspec.Meta(ge=STRIDE, le=8192, multiple_of=STRIDE)]
Hw = tuple[Side, Side]
Range = tuple[Positive, Positive]


class _Part(msgspec.Struct, frozen=True, kw_only=True):
    """Every part of a recipe: immutable, and every key but the facts has a default."""


class Start(_Part, frozen=True, kw_only=True):
    """The weights to begin with, and what they were made for."""

    weights: str  # a checkpoint of this project, or a state dict with Megvii's names
    name: str
    licence: str
    commercial: bool
    url: str | None = None
    classes: tuple[str, ...] | None = None  # of a state dict; None where it has COCO's 80
    remember: bool = False  # hold the network to what they say where no label does; see memory.py


class _Source(_Part, tag_field="kind", frozen=True, kw_only=True):
    """Where images come from, on what terms, and how often they are drawn."""

    name: str
    licence: str
    commercial: bool  # whether weights that saw it may be used commercially
    url: str | None = None
    weight: Positive = 1.0  # its share of the draws, relative to the other sources
    zoom: Range = (0.5, 1.5)  # times the size at which the image fits the input


class CocoSource(_Source, tag="coco", frozen=True, kw_only=True):
    """Images labelled in a COCO JSON file; `source` picks those whose `source` is that."""

    annotations: str
    images: str
    source: str | None = None
    rare: Share = 0.0  # classes in fewer than this share of the images are drawn more often


class SimSource(_Source, tag="sim", frozen=True, kw_only=True):
    """Streets rendered by `sim://road`, each from a seed of its own; exact labels."""

    count: Count
    width: Annotated[int, msgspec.Meta(ge=64, le=4096)] = 640
    height: Annotated[int, msgspec.Meta(ge=64, le=4096)] = 384
    seed: int = 0
    min_visibility: Share = 0.4  # what is hidden more than that is ignored, not learnt
    min_side: Positive = 8.0  # pixels of the longer side; what is smaller is ignored too


Source = CocoSource | SimSource


class Augment(_Part, frozen=True, kw_only=True):
    """How images are varied. Gentle: a fine-tune has few images, not few epochs."""

    mosaic: Share = 0.5  # how often four images share the input
    flip: Share = 0.5
    brightness: Share = 0.3
    contrast: Share = 0.3
    saturation: Share = 0.3
    jpeg: Share = 0.1  # how often an image is compressed anew, as a camera's stream is
    blur: Share = 0.1  # how often an image is blurred, as motion and rain do
    until: Share = 0.9  # the share of the steps after which mosaic ends and L1 begins


class Optimise(_Part, frozen=True, kw_only=True):
    """How the weights move: a rate that is warmed up, then falls along a cosine.

    SGD with Nesterov momentum for training from nothing. AdamW for fine-tuning: it moves each
    weight by its own measure, and filters whose scales differ by thousands all stay alive.
    """

    steps: Count
    method: Literal["sgd", "adamw"] = "sgd"
    batch: Count = 8  # of all processes together
    lr: Positive = 1e-3
    momentum: Share = 0.9
    weight_decay: Annotated[float, msgspec.Meta(ge=0)] = 5e-4
    warmup: Annotated[int, msgspec.Meta(ge=0)] = 100  # steps
    final: Share = 0.05  # the last learning rate, as a share of the first
    clip: Positive = 10.0  # the largest norm of the gradient
    ema: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.998
    freeze_batchnorm: bool = False


class Validate(_Part, frozen=True, kw_only=True):
    """When to measure AP, and on what. `source.weight` and `source.zoom` mean nothing here.

    Of a fine-tune, weights part of the way from its start are often better than either end,
    and forget less ("Robust fine-tuning of zero-shot models", arXiv 2109.01903): the weights at
    each of `blends` of the way are measured, and the best are kept.
    """

    source: Source
    blends: Annotated[tuple[Share, ...], msgspec.Meta(min_length=1)] = (1.0,)
    every: Count = 500  # steps
    limit: Count | None = None  # at most so many images


class Recipe(_Part, frozen=True, kw_only=True):
    """The whole of it."""

    name: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    classes: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    sources: Annotated[tuple[Source, ...], msgspec.Meta(min_length=1)]
    validate: Validate
    optimise: Optimise
    input: Hw = (416, 416)  # what is validated, and what is exported unless told otherwise
    sizes: tuple[Hw, ...] = ()  # the inputs to train at, one drawn for each step; () is `input`
    model: ModelSettings = ModelSettings()
    start: Start | None = None
    augment: Augment = Augment()
    seed: int = 0


def read_recipe(path: Path) -> Recipe:
    """Raises OSError or ValueError with one line that says what to change."""
    try:
        raw = msgspec.toml.decode(path.read_bytes())
    except OSError as absent:
        shipped = ", ".join(sorted(p.stem for p in SHIPPED.glob("*.toml")))
        raise OSError(
            f"cannot read recipe {str(path)!r}: {absent.strerror}; shipped with stopline: {shipped}"
        ) from absent
    except msgspec.DecodeError as wrong:
        raise ValueError(f"{path.name} is not TOML: {wrong}") from wrong
    return recipe_from(raw, path.name)


def recipe_from(raw: Any, where: str) -> Recipe:
    """What TOML gave → a recipe, every key known and every value in its range."""
    _refuse_unknown_keys(raw, msgspec.inspect.type_info(Recipe), where, "")
    try:
        recipe = msgspec.convert(raw, Recipe)
    except msgspec.ValidationError as wrong:
        raise ValueError(f"{where}: {wrong}") from wrong
    if len(set(recipe.classes)) != len(recipe.classes):
        raise ValueError(f"{where}: classes names one twice")
    return recipe


def find_recipe(name: str) -> Path:
    """A file, or the name of a recipe that ships with stopline."""
    shipped = SHIPPED / f"{name}.toml"
    return shipped if "/" not in name and shipped.is_file() else Path(name)


def _refuse_unknown_keys(raw: Any, kind: msgspec.inspect.Type, where: str, at: str) -> None:
    """`msgspec` would name the key; this names the one that was meant as well."""
    if isinstance(kind, msgspec.inspect.UnionType):
        kind = _tagged(raw, kind)
    if isinstance(kind, msgspec.inspect.VarTupleType) and isinstance(raw, list):
        for index, item in enumerate(raw):
            _refuse_unknown_keys(item, kind.item_type, where, f"{at}[{index}]")
    if not isinstance(kind, msgspec.inspect.StructType) or not isinstance(raw, dict):
        return
    known = {field.encode_name: field.type for field in kind.fields}
    for key, value in raw.items():
        if key in known:
            _refuse_unknown_keys(value, known[key], where, f"{at}.{key}".lstrip("."))
        elif key != kind.tag_field:
            near = difflib.get_close_matches(key, known, 1, 0) or sorted(known)
            place = f" in [{at}]" if at else ""
            raise ValueError(f"{where}: unknown key {key!r}{place}; did you mean {near[0]!r}?")


def _tagged(raw: Any, union: msgspec.inspect.UnionType) -> msgspec.inspect.Type:
    """The member of a union that a table means; any other than None if it does not say."""
    kind = raw.get("kind") if isinstance(raw, dict) else None
    members = [m for m in union.types if not isinstance(m, msgspec.inspect.NoneType)]
    return next((m for m in members if getattr(m, "tag", None) == kind), members[0])
