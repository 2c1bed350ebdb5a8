"""Where a variant of a graph parts from its reference, and which layers it owes its noise to.

Each tensor is compared twice: as it comes out of the whole variant, with all the noise that it
inherits, and as its segment alone computes it from what the reference gives. The second shows
whose noise it is: a corrupted layer shows in its own segment and in none after it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from onnx import ModelProto

from stopline.export.bisect.contributions import Error, Harm, harms, ranked
from stopline.export.bisect.noise import Noise
from stopline.export.bisect.parting import Compared, Parting, too_much
from stopline.export.bisect.segments import Segment, after_top_k, segments
from stopline.export.bisect.side_by_side import SideBySide
from stopline.export.intermediate import bytes_of, chunked, typed_values
from stopline.export.quantize.layers import layers
from stopline.export.raw import ExportError
from stopline.runtime.arrays import Frames

OnStep = Callable[[float], None]  # the share that is done, 0..1


@dataclass(frozen=True)
class BisectSettings:
    """`ranked_on` is how many of the frames rank the layers; each takes a run per layer."""

    ranked_on: int = 1
    mib: int = 512  # of tensors held at a time
    threads: int = 1
    on_step: OnStep = lambda share: None


@dataclass
class _Found:
    """What the frames have shown so far."""

    own: dict[str, Noise] = field(default_factory=dict)
    whole: dict[str, Noise] = field(default_factory=dict)
    harms: list[Harm] = field(default_factory=list)


def part(
    reference: ModelProto,
    variant: ModelProto,
    frames: Frames,
    settings: BisectSettings | None = None,
) -> Parting:
    """Compare two graphs in the contract on `frames` (n, h, w, 3), as they are laid.

    A float16 graph is compared as a GPU runs it, each result rounded. Raises ExportError if
    they are not variants of one graph, or one cannot be run.
    """
    settings = settings or BisectSettings()
    if len(frames) == 0:
        raise ExportError("no frames to compare with: give at least one image")
    lined = segments(reference, variant)
    found = _Found()
    chunks = list(_chunks(lined, reference, settings.mib << 20))
    for index, chunk in enumerate(chunks):
        both = SideBySide(reference, variant, chunk, settings.threads)
        for at, frame in enumerate(frames):
            noisy = _look(both, frame[None], found)
            if at < settings.ranked_on:
                found.harms += harms(reference, frame[None], noisy, settings.threads)
            settings.on_step((index + (at + 1) / len(frames)) / len(chunks))
    return Parting(len(frames), _compared(reference, lined, found), ranked(found.harms))


def _chunks(lined: list[Segment], reference: ModelProto, most: int) -> Iterator[list[Segment]]:
    types = typed_values(reference)

    def held(segment: Segment) -> int:
        """The reference's, the variant's, the segment's own, and what that is given."""
        return 4 * sum(bytes_of(types[name]) for name in (segment.tensor, *segment.reads))

    return chunked(lined, held, most)


def _look(both: SideBySide, frames: Frames, found: _Found) -> list[tuple[Segment, Error]]:
    """Compare on one frame; gives the errors of those whose noise may matter."""
    noisy = []
    for segment, seen in both.run(frames):
        name = segment.tensor
        found.own[name] = seen.own.plus(found.own.get(name))
        found.whole[name] = seen.whole.plus(found.whole.get(name))
        if seen.own.noise.any() and (segment.kind == "int8" or too_much(segment.kind, seen.own)):
            noisy.append((segment, seen.error))
    return noisy


def _compared(reference: ModelProto, lined: list[Segment], found: _Found) -> tuple[Compared, ...]:
    unordered = after_top_k(reference)
    kinds = {layer.name: f"{layer.kind} " for layer in layers(reference)}
    rows = []
    for segment in lined:
        own, whole = found.own[segment.tensor], found.whole[segment.tensor]
        row = Compared(
            tensor=segment.tensor,
            node=segment.node,
            place=segment.place,
            op=kinds.get(segment.node, "") + segment.op,
            precision=segment.kind,
            through=segment.odd,
            own_db=own.db,
            own_channel_db=own.channel_db,
            own_channel=own.channel,
            own_gain=own.gain[1],
            own_gain_channel=own.gain[0],
            db=None if segment.tensor in unordered else whole.db,
            max_difference=whole.max_difference,
            parts=too_much(segment.kind, own),
        )
        rows.append(row)
    return tuple(rows)
