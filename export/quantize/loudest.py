"""Which layers stay in float, by how much noise each puts into the answer when it alone is INT8.

A few layers early in a network make most of it: all that follows hears them. The search asks the
score, which takes many images and minutes; this asks a few frames.
"""

from collections.abc import Callable, Mapping

from onnx import ModelProto

from stopline.export.quantize.bench import Prepared
from stopline.export.quantize.layers import Layer, layers

HEARD = 0.9  # of the noise, which is to go


def noise_alone(
    recipe: Prepared,
    in_float: frozenset[str],
    noise: Callable[[ModelProto], float],
    on_layer: Callable[[int, int], None],
) -> dict[str, float]:
    """Of every layer that is not in float anyway, with all others in float."""
    every = frozenset(layer.name for layer in recipe.layers)
    asked = [layer.name for layer in recipe.layers if layer.name not in in_float]
    found = {}
    for index, name in enumerate(asked):
        found[name] = noise(recipe.model(every - {name}))
        on_layer(index + 1, len(asked))
    return found


def loudest(
    model: ModelProto, in_float: frozenset[str], noise: Mapping[str, float], least_int8: float
) -> frozenset[str]:
    """Layers to keep in float too: the most noise for each multiply-accumulate first.

    Until nine tenths of the noise are gone, or no more fit above `least_int8`.
    """
    every = layers(model)
    whole = sum(layer.macs for layer in every)
    left = whole - sum(layer.macs for layer in every if layer.name in in_float)
    goal = (1 - HEARD) * sum(noise.values())
    heard = sum(noise.values())
    kept = set[str]()

    def worth(layer: Layer) -> float:
        return noise[layer.name] / max(layer.macs, 1)

    for layer in sorted((one for one in every if one.name in noise), key=worth, reverse=True):
        if heard <= goal:
            break
        if left - layer.macs >= least_int8 * whole:
            kept.add(layer.name)
            left -= layer.macs
            heard -= noise[layer.name]
    return frozenset(kept)
