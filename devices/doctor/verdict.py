"""Whether the bundle at hand could run on what was found."""

from stopline.devices.board import Board
from stopline.devices.doctor.finding import Finding, ok
from stopline.devices.doctor.host import Host
from stopline.devices.doctor.identity import Identity
from stopline.devices.doctor.probed import BACKENDS, Probed, Probes
from stopline.devices.engines.memory import available_mib
from stopline.devices.preflight import Answer, preflight
from stopline.runtime.backends.cuda import Gpu
from stopline.runtime.backends.tensorrt_library import Library
from stopline.runtime.bundle import BUILT_IN, Bundle

GROUP = "bundle"


def board_of(host: Host, this: Identity, tried: Probes) -> Board:
    """The facts that preflight decides by, of a machine that may be a recorded one."""
    gpu, tensorrt = tried.gpu, tried.tensorrt
    return Board(
        machine=this.machine or "unknown",
        model=this.model,
        l4t=this.l4t,
        memory_mib=available_mib(host.root / "proc/meminfo"),
        gpu=_gpu(gpu),
        no_gpu=gpu.failure,
        tensorrt=_library(tensorrt),
        no_tensorrt=tensorrt.failure,
        dla_cores=_dla_cores(host),
        versions=tried.versions,
        providers={
            provider: tried.backends[name].failure
            for name, provider in BACKENDS.items()
            if provider is not None
        },
    )


def answers(bundle: Bundle, board: Board, tried: Probes) -> list[Answer]:
    """Of those that preflight would let run, the ones whose library was seen to run."""
    return [one for one in preflight(bundle, board).answers if one.able and _ran(one, tried)]


def bundle_finding(bundle: Bundle, able: list[Answer], tried: Probes, gpu: bool) -> Finding:
    """A bundle that runs on the CPU beside an idle GPU is told to be built."""
    name = bundle.manifest.name
    if not tried.cv2.works:
        found, wanted = f"{name} cannot run: there is no OpenCV", "cv2"
        return Finding(GROUP, name, "problem", found, wanted, "see OpenCV above")
    if not able:
        found = f"{name} cannot run: no backend that was seen to run takes it"
        wanted, command = "a backend that runs", "pip install 'stopline[cpu]'"
        return Finding(GROUP, name, "problem", found, wanted, command)
    best = able[0]
    told = f"{name} can run: {best.precision} on {best.backend} ({best.why})"
    if gpu and tried.gpu.works and tried.tensorrt.works and best.backend != "tensorrt":
        where = name if bundle.path.parent == BUILT_IN else bundle.path
        command = f"stopline build {where}"
        return Finding(GROUP, name, "warning", told, "an engine for this GPU", command)
    return ok(GROUP, name, told)


def _ran(answer: Answer, tried: Probes) -> bool:
    probed = tried.tensorrt if answer.backend == "tensorrt" else tried.backends.get(answer.backend)
    return probed is not None and probed.works


def _gpu(probed: Probed) -> Gpu | None:
    if not probed.works:
        return None
    facts = probed.facts
    return Gpu(facts["name"], facts["sm"], int(facts["memory_mib"]), int(facts["free_mib"]))


def _library(probed: Probed) -> Library | None:
    if not {"flavour", "version"} <= set(probed.facts):
        return None
    return Library(probed.facts["flavour"], probed.facts["version"])


def _dla_cores(host: Host) -> int | None:
    tree = host.root / "proc/device-tree"
    return sum(1 for _ in tree.glob("**/nvdla*@*")) if tree.is_dir() else None
