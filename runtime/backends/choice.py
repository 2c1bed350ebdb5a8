"""Which variant of a bundle this machine should run, when nobody says."""

import importlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, TypeAlias

from stopline.runtime.backends.backend import BackendError, usable_cpus
from stopline.runtime.backends.cpu import CPUINFO, Cpu, read_cpu
from stopline.runtime.backends.engine import best_rung
from stopline.runtime.backends.remembered import Conditions, default_folder, recall, remember
from stopline.runtime.backends.trial import Trial, Tried, try_int8
from stopline.runtime.bundle import Bundle
from stopline.runtime.cameras.camera import Clock
from stopline.runtime.manifest import BundleError, Precision
from stopline.runtime.selftest import SelfTest, read_selftest

ON_CPU = ("openvino", "onnxruntime", "exact")
WORTH = 0.9  # of FP32's time; for less, the exact answer is worth more

# The detector of a bundle at a precision, on the backend that is chosen for, from a score on.
Opened: TypeAlias = Callable[[Precision, float], Tried]


class Choice(NamedTuple):
    """A precision and the reason for it; `caution` is what the user must know of it."""

    precision: Precision
    why: str
    caution: str | None = None


@dataclass(frozen=True, slots=True)
class Machine:
    """What the choice depends on beside the bundle, and where a trial is remembered."""

    cpuinfo: Path = CPUINFO
    threads: int = field(default_factory=usable_cpus)
    trials: Path | None = field(default_factory=default_folder)
    clock: Clock = time.monotonic_ns


def choose(bundle: Bundle, backend: str, machine: Machine, opened: Opened) -> Choice:
    """FP32, unless another variant was compared with it at export and is better here.

    On a CPU that is INT8 where the CPU has the instructions for it, the self-test passes and it
    is faster: a trial of a second, once. In TensorRT it is the rung for which there is an engine,
    elsewhere FP16.
    """
    variants = bundle.manifest.variants
    if len(variants) == 1:
        return Choice(bundle.precision(), "the only variant")
    if "fp32" not in variants:
        return Choice(bundle.precision(), "there is no fp32")
    if backend in ON_CPU:
        return _on_cpu(bundle, backend, machine, opened)
    if backend == "tensorrt" and (rung := best_rung(bundle)) is not None:
        return Choice(*rung)
    if _compared(bundle, "fp16"):
        return Choice("fp16", "half precision is what a GPU is fast at")
    return Choice("fp32", "no fp16 that was compared with it")


def asked_for(bundle: Bundle, precision: Precision, backend: str, machine: Machine) -> Choice:
    """What the user wants, with a caution where it cannot be meant."""
    kept = Choice(bundle.precision(precision), "as asked for")
    if precision != "int8" or backend not in ("openvino", "onnxruntime"):
        return kept
    against = read_cpu(machine.cpuinfo).against_int8
    if against is None:
        return kept
    caution = f"{against}: `stopline eval --precision int8 --backend {backend}` shows what it finds"
    return kept._replace(caution=caution)


def _on_cpu(bundle: Bundle, backend: str, machine: Machine, opened: Opened) -> Choice:
    if "int8" not in bundle.manifest.variants:
        return Choice("fp32", "fp16 is for GPUs")
    if backend == "exact":
        return Choice("fp32", "what others are compared with")
    if not _compared(bundle, "int8"):
        return Choice("fp32", "its int8 was never compared with it")
    cpu = read_cpu(machine.cpuinfo)
    if cpu.against_int8 is not None:
        return Choice("fp32", cpu.against_int8)
    try:
        test = read_selftest(bundle)
    except BundleError:
        return Choice("fp32", "without a self-test INT8 cannot be checked here")
    conditions = _conditions(bundle, backend, cpu, machine)
    try:
        return _judged(_trial(bundle, test, conditions, machine, opened))
    except BackendError as error:
        return Choice("fp32", f"INT8 could not be tried here ({error})")


def _judged(trial: Trial) -> Choice:
    if trial.time_share is None:
        return Choice("fp32", f"INT8 was tried here, and {trial.failure}")
    measured = f"{trial.time_share:.2f} of the time of fp32 here ({trial.pairs} pairs)"
    if trial.time_share > WORTH:
        return Choice("fp32", f"int8 takes {measured}")
    return Choice("int8", f"it takes {measured} and passes its self-test")


def _trial(
    bundle: Bundle, test: SelfTest, conditions: Conditions, machine: Machine, opened: Opened
) -> Trial:
    known = recall(machine.trials, conditions)
    if known is not None:
        return known
    trial = try_int8(
        lambda: opened("int8", test.min_score),
        lambda: opened("fp32", test.min_score),
        test,
        bundle.manifest.thresholds.min_score,
        machine.clock,
    )
    remember(machine.trials, conditions, trial)
    return trial


def _conditions(bundle: Bundle, backend: str, cpu: Cpu, machine: Machine) -> Conditions:
    manifest = bundle.manifest
    int8, fp32 = (manifest.files[manifest.variants[name].file].sha256 for name in ("int8", "fp32"))
    version = _version(backend)
    return Conditions(int8, fp32, f"{backend} {version}", cpu.model, machine.threads)


def _version(backend: str) -> str:
    """Of its library, which has its name; one that is not here is refused when it is opened."""
    try:
        return str(importlib.import_module(backend).__version__)
    except ImportError:
        return "absent"


def _compared(bundle: Bundle, precision: Precision) -> bool:
    variant = bundle.manifest.variants.get(precision)
    return variant is not None and variant.fidelity is not None
