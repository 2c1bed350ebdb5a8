"""One library tried in a process of its own: `python -m stopline.devices.doctor.probe WHAT`.

A library that is there may yet hang, or crash the process that loads it. Its last line of stdout
is what became of it, as JSON. What needs a GPU was not run yet: no machine of this project had one.
"""

import importlib.metadata
import importlib.util
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from stopline.devices.doctor.probed import BACKENDS, Probed
from stopline.runtime.backends.backend import BackendError, NotHere

if TYPE_CHECKING:
    from stopline.devices.engines.ladder import Target

# Whatever a trial needs is imported in it: eight children start, most of them for one library.
PROBE = Path(__file__).parent / "probe"


def main() -> None:
    """Try what the command line names."""
    print(msgspec.json.encode(tried(sys.argv[1])).decode(), flush=True)


def tried(what: str) -> Probed:
    """A part of `TRIALS`, or else a backend by its name."""
    try:
        trial = TRIALS.get(what)
        return trial() if trial is not None else _backend(what)
    except NotHere as error:
        return Probed(here=False, failure=str(error))
    except (ValueError, ImportError, OSError) as error:  # of ours: BackendError, EngineError
        return Probed(failure=" ".join(str(error).split()))


def _backend(name: str) -> Probed:
    """Run a tiny detector on it, and compare its boxes with those that anybody must find."""
    from stopline.devices.fidelity import Run
    from stopline.devices.selftest import selftested
    from stopline.runtime.bundle import open_bundle
    from stopline.runtime.selftest import read_selftest

    _refuse_absent(name)
    bundle = open_bundle(PROBE)
    try:
        tested = selftested(bundle, Run("fp32", name), read_selftest(bundle))
    except BackendError as error:  # which names our tiny bundle before the reason
        raise BackendError(str(error).rpartition(f"{name}: ")[2]) from error
    return Probed(failure=tested.failure)


def _refuse_absent(name: str) -> None:
    from stopline.runtime.backends.onnxruntime_backend import refuse_absent

    provider = BACKENDS[name]
    if provider is not None:
        refuse_absent(provider)
    elif importlib.util.find_spec(name) is None:
        raise NotHere(f"no {name}")


def _versions() -> Probed:
    from stopline.devices.board import LIBRARIES

    facts = {"python": ".".join(map(str, sys.version_info[:3]))}
    wanted = {*LIBRARIES, "opencv-python", "opencv-python-headless"}
    for one in importlib.metadata.distributions():
        if one.name in wanted:
            facts[one.name] = one.version
    return Probed(facts=facts)


def _cv2() -> Probed:
    try:
        import cv2
    except ModuleNotFoundError as error:
        return Probed(here=False, failure=str(error))
    has = cv2.videoio_registry.hasBackend
    facts = {
        "version": cv2.__version__,
        "where": str(Path(cv2.__file__).parent),
        "gstreamer": str(has(cv2.CAP_GSTREAMER)),
        "ffmpeg": str(has(cv2.CAP_FFMPEG)),
        "v4l2": str(has(cv2.CAP_V4L2)),
    }
    return Probed(facts=facts)


def _gpu() -> Probed:
    from stopline.runtime.backends.cuda import first_gpu

    return Probed(facts={name: str(value) for name, value in first_gpu()._asdict().items()})


def _tensorrt() -> Probed:
    """Build a tiny engine and run it, where there is a GPU."""
    from stopline.runtime.backends.cuda import first_gpu
    from stopline.runtime.backends.tensorrt_library import library_of, tensorrt_module

    library = library_of(tensorrt_module())
    facts = {"flavour": library.flavour, "version": library.version}
    try:
        gpu = first_gpu()
    except BackendError as error:
        return Probed(failure=f"not run: {error}", facts=facts)
    from stopline.devices.engines.ladder import Target

    return Probed(failure=_engine_failure(Target(library, gpu.name, gpu.sm, None)), facts=facts)


def _engine_failure(target: "Target") -> str | None:
    from stopline.devices.engines.ladder import LadderSettings, climb
    from stopline.devices.engines.plan import BuildSettings
    from stopline.devices.engines.work import Work
    from stopline.runtime.bundle import open_bundle

    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(shutil.copytree(PROBE, Path(scratch) / "probe"))
        settings = LadderSettings(BuildSettings(optimisation=0), "fp32")
        climbed = climb(open_bundle(copy), target, settings, Work())
    return None if climbed.chosen else f"a tiny engine: {climbed.attempts[0].why}"


TRIALS: dict[str, Callable[[], Probed]] = {
    "versions": _versions,
    "cv2": _cv2,
    "gpu": _gpu,
    "tensorrt": _tensorrt,
}

if __name__ == "__main__":
    main()
