"""In a real run the rung becomes what the pipeline does, and each step is told to the sinks."""

import time

from stopline.runtime.events import Event, Step
from stopline.runtime.frame import CameraState, Result
from stopline.runtime.governor.governor import Governor, GovernorSettings
from stopline.runtime.governor.ladder import ladder_for
from stopline.runtime.pipeline import Pipeline, PipelineSettings
from stopline.runtime.service.session import Session
from tests.runtime.clips import Slow, Steady

DEADLINE_S = 0.2
TOO_SLOW_S, QUICK_S = 0.3, 0.005


class Ailing(Slow):
    """A detector that is too slow until it is cured."""

    def cure(self) -> None:
        """From now on it is quick."""
        self._seconds = QUICK_S


class Remembering:
    """Keeps what it is given, and cures the detector once it was given up."""

    name = "remembering"
    wants_images = False

    def __init__(self, detector: Ailing) -> None:
        self.results: list[Result] = []
        self.steps: list[Step] = []
        self._detector = detector

    def write(self, result: Result) -> None:
        """One result."""
        self.results.append(result)

    def tell(self, event: Event) -> None:
        """One step."""
        assert isinstance(event, Step)
        self.steps.append(event)
        if event.rung.startswith("at most 5 fps, fallback"):
            self._detector.cure()

    def close(self) -> None:
        """Nothing to do."""


def test_a_slow_detector_is_fallen_back_from_and_a_cured_one_is_come_back_to() -> None:
    asked, fallback = Ailing(TOO_SLOW_S), Slow(QUICK_S)
    cameras = [Steady("front", 20, 2000), Steady("rear", 20, 2000)]
    settings = GovernorSettings(
        DEADLINE_S, window_s=0.5, least=3, settle_s=0.1, first_wait_s=1.0, most_late=0.3
    )
    governor = Governor(ladder_for(DEADLINE_S, 2, True, 20), settings)
    pipeline = Pipeline(asked, cameras, settings=PipelineSettings(deadline_s=DEADLINE_S))
    sink = Remembering(asked)
    session = Session(pipeline, ["front", "rear"], [asked, fallback], [sink], governor=governor)
    until_s = time.monotonic() + 40
    session.run(lambda: (bool(sink.steps) and governor.level == 0) or time.monotonic() > until_s)
    levels = [step.level for step in sink.steps]
    assert levels[:3] == [1, 2, 3]
    assert levels[-1] == 0
    assert sink.steps[2].rung == "at most 5 fps, fallback detector"
    assert all(one.age_ms is None or one.age_ms <= 1e3 * DEADLINE_S for one in sink.results)
    told = [one for one in sink.results if one.state is CameraState.LIVE]
    assert {one.camera for one in told} == {"front", "rear"}
