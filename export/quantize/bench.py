"""A prepared graph on the bench: any choice of the layers that stay in float, measured once."""

from collections.abc import Callable, Collection
from typing import Protocol

from onnx import ModelProto

from stopline.export.quantize.layers import Layer, layers
from stopline.export.quantize.score import Score
from stopline.export.quantize.trials import Trial, Trials

OnStep = Callable[[str, float], None]  # what is being done, and the share that is done


class Prepared(Protocol):
    """What the search varies; `int8.Int8Recipe` is one."""

    @property
    def layers(self) -> tuple[Layer, ...]: ...

    def model(self, float_layers: Collection[str]) -> ModelProto: ...


class Bench:
    """Layers, their share of the multiply-accumulates, and what each choice of them gives."""

    def __init__(self, prepared: Prepared, score: Score, trials: Trials) -> None:
        self.layers = {layer.name: layer for layer in prepared.layers}
        self._prepared = prepared
        self._score = score
        self._trials = trials
        # Those too that no INT8 is known for.
        every = layers(prepared.model([layer.name for layer in prepared.layers]))
        self._whole = sum(layer.macs for layer in every)
        self._asked: set[frozenset[str]] = set()

    @property
    def asked(self) -> int:
        """How many choices were looked at, whether now or before an interruption."""
        return len(self._asked)

    @property
    def done(self) -> tuple[Trial, ...]:
        """All that is known, from searches with other wishes too."""
        return self._trials.done

    def share(self, names: Collection[str]) -> float:
        """Of all multiply-accumulates, those of these layers."""
        return sum(self.layers[name].macs for name in names) / self._whole

    def trial(self, float_layers: Collection[str]) -> Trial:
        """All layers in INT8 but these."""
        self._asked.add(frozenset(float_layers))
        return self._trials.trial(
            float_layers,
            self.share(frozenset(self.layers) - frozenset(float_layers)),
            lambda: self._score(self._prepared.model(float_layers)),
        )

    def alone(self, name: str) -> Trial:
        """All layers in float but this one."""
        return self.trial(self._others(name))

    def noise_alone(self, name: str) -> float:
        """The noise in the answer if this layer alone is INT8."""
        return self._trials.noise(
            name, lambda: self._score.noise(self._prepared.model(self._others(name)))
        )

    def _others(self, name: str) -> frozenset[str]:
        return frozenset(self.layers) - {name}
