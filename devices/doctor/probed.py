"""What became of libraries that were tried, each in a process of its own."""

from dataclasses import dataclass

import msgspec

from stopline.devices.doctor.host import PYTHON, Host, Said
from stopline.runtime.backends.onnxruntime_backend import CPU
from stopline.runtime.backends.onnxruntime_gpu import CUDA, TENSORRT

MODULE = "stopline.devices.doctor.probe"
# TensorRT takes half a minute to start on a board; what takes longer hangs.
PATIENCE_S = 180.0
# The backends that run a graph as it is, the best first, and ONNX Runtime's names of them.
BACKENDS = {
    "cuda": CUDA,
    "openvino": None,
    "onnxruntime": CPU,
    "onnxruntime-tensorrt": TENSORRT,
}


class Probed(msgspec.Struct, frozen=True):
    """`failure` None: it works. `here` False: it is not installed, or not on this machine."""

    here: bool = True
    failure: str | None = None
    facts: dict[str, str] = {}

    @property
    def works(self) -> bool:
        """Whether it was run and gave the right answer."""
        return self.failure is None


@dataclass(frozen=True)
class Probes:
    """All of them."""

    versions: dict[str, str]  # of packages, and of Python
    cv2: Probed
    gpu: Probed
    tensorrt: Probed
    backends: dict[str, Probed]


def probes(host: Host) -> Probes:
    """One after the other: on a small board they would fight for memory."""
    return Probes(
        versions=_probed(host, "versions").facts,
        cv2=_probed(host, "cv2"),
        gpu=_probed(host, "gpu"),
        tensorrt=_probed(host, "tensorrt"),
        backends={name: _probed(host, name) for name in BACKENDS},
    )


def _probed(host: Host, what: str) -> Probed:
    said = host.run((PYTHON, "-m", MODULE, what), PATIENCE_S)
    if said is None:
        return Probed(failure="it was not tried")
    if said.code != 0:
        return Probed(failure=said.why)
    return _decoded(said)


def _decoded(said: Said) -> Probed:
    """Its last line: a library may print before it."""
    last = (said.out.strip().splitlines() or [""])[-1]
    try:
        return msgspec.json.decode(last, type=Probed)
    except msgspec.DecodeError:
        return Probed(failure=f"no answer of it but {last!r}")
