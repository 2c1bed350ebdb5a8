"""AP of weights in training, measured as they will run: exported, in a bundle, by the runtime."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from stopline.devices.coco import CocoSet
from stopline.devices.evaluation import MIN_SCORE, Evaluation, EvaluationSettings, evaluate
from stopline.export.bundle import About, quick_bundle
from stopline.export.families import recognised
from stopline.export.raw import raw_of
from stopline.export.torch_onnx import TracedModule
from stopline.runtime.detector import Detector, DetectorSettings
from stopline.train.checkpoint import Checkpoint, build_model
from stopline.train.loop import Scores
from stopline.train.recipe import Recipe
from stopline.train.sources import Places, Progress, open_source


def through_the_runtime(recipe: Recipe, places: Places, progress: Progress) -> "Validation":
    """What measures the checkpoints of a run of this recipe."""
    validate = recipe.validate
    images = open_source(validate.source, places, progress)
    if validate.limit is not None:
        step = max(1, len(images.images) // validate.limit)  # spread, as sets are often sorted
        images = replace(images, images=images.images[::step][: validate.limit])
    return Validation(images, progress)


@dataclass(eq=False)
class Validation:
    """Measures one checkpoint after another, all of one architecture."""

    images: CocoSet
    progress: Progress
    traced: list[TracedModule] = field(default_factory=list)  # one, once there was a checkpoint

    def __call__(self, checkpoint: Checkpoint) -> Scores:
        """AP, AP50, AP75 over the classes, and `AP50 <class>` of each; None where not known."""
        model = build_model(checkpoint)
        if not self.traced:
            # Tracing takes many seconds, filling in the weights of the next checkpoint one.
            self.traced.append(TracedModule(model, checkpoint.input_hw))
        raw = raw_of(self.traced[0].filled(model), "the model in training")
        about = About("in-training", checkpoint.classes, checkpoint.provenance)
        with tempfile.TemporaryDirectory() as folder:
            bundle = quick_bundle(Path(folder) / "bundle", recognised(raw, "yolox"), about)
            settings = DetectorSettings(min_score=MIN_SCORE)
            tick: Callable[[], None] = self.progress("validating", len(self.images.images))
            with Detector(bundle, settings=settings) as detector:
                figures = evaluate(detector, self.images, EvaluationSettings(resamples=0), tick)
        return _scores(figures, checkpoint.classes)


def _scores(figures: Evaluation, classes: tuple[str, ...]) -> Scores:
    of_class = {
        f"AP50 {name}": figures.classes[name].AP50 if name in figures.classes else None
        for name in classes
    }
    return {"AP": figures.AP, "AP50": figures.AP50, "AP75": figures.AP75, **of_class}
