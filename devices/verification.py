"""Whether a bundle answers on this machine as it did where it was exported.

Each variant runs on each backend that is here. What a CPU's integer kernels make of an INT8 graph
is another answer than what the graph says ("exact"), so it is told apart, and decides nothing
unless `run` would take it or it was asked for by name.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from stopline.devices.fidelity import EXACT, Answers, Evidence, Run, answers, ap_of, fidelity
from stopline.devices.gate import GateLimits, judge
from stopline.devices.selftest import SelfTested, selftested
from stopline.runtime.backends.backend import BY_NAME_ONLY, BackendError, NotHere, backend_names
from stopline.runtime.backends.cpu import read_cpu
from stopline.runtime.bundle import Bundle
from stopline.runtime.detector import Detector
from stopline.runtime.manifest import Accuracy, BundleError, Fidelity, Precision
from stopline.runtime.selftest import SelfTest

CPU_BACKENDS = ("openvino", "onnxruntime")
GPU_BACKENDS = ("tensorrt", "cuda", "onnxruntime-tensorrt")
SAME_AP = 0.005  # OpenCV 4 and 5 decode JPEGs a little differently


@dataclass(frozen=True)
class VerifySettings:
    """None asks for all: every variant, every backend of this machine."""

    precision: Precision | None = None
    backend: str | None = None
    limits: GateLimits = field(default_factory=GateLimits)


@dataclass(frozen=True)
class Checked:
    """One variant on one backend. `failures` say why it is not what the bundle promises."""

    precision: Precision
    backend: str
    arithmetic: str
    selftest: SelfTested | None
    AP: float | None
    fidelity: Fidelity | None  # with FP32 here; None for FP32 itself
    failures: tuple[str, ...]
    notes: tuple[str, ...]
    decides: bool


@dataclass(frozen=True)
class Verification:
    """`runs` is what `stopline run` takes on this machine; None if nothing can be opened."""

    rows: tuple[Checked, ...]
    runs: tuple[Precision, str] | None
    failures: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """What decides has no failure."""
        return not self.failures


def verified(
    bundle: Bundle,
    test: SelfTest,
    evidence: Evidence | None,
    settings: VerifySettings | None = None,
    on_step: Callable[[str], None] = lambda text: None,
) -> Verification:
    """Run the self-test everywhere, and with `evidence` compare every variant with FP32."""
    settings = settings or VerifySettings()
    runs = _chosen(bundle) if settings.backend is None and settings.precision is None else None
    verifying = _Verifying(bundle, evidence, settings, runs)
    rows = []
    for run in _runs(bundle, settings):
        on_step(f"{run.precision} on {run.backend}")
        row = verifying.row(run, test)
        if row is not None:
            rows.append(row)
    failures = [
        f"{row.precision} on {row.backend}: {failure}"
        for row in rows
        if row.decides
        for failure in row.failures
    ]
    if not any(row.decides for row in rows):
        failures.append("no variant could be run here: `stopline doctor` says what is missing")
    return Verification(tuple(rows), runs, tuple(failures))


def _chosen(bundle: Bundle) -> tuple[Precision, str] | None:
    try:
        with Detector(bundle) as detector:
            return detector.precision, detector.backend
    except BackendError:
        return None


def _runs(bundle: Bundle, settings: VerifySettings) -> Iterator[Run]:
    """FP32 first, and of its backends the one that others are compared with."""
    variants = [bundle.precision(settings.precision)] if settings.precision else None
    by_itself = [name for name in backend_names() if name not in BY_NAME_ONLY]
    for precision in variants or sorted(bundle.manifest.variants, key=_order):
        names = [*by_itself, EXACT] if precision == "int8" else by_itself
        for name in [settings.backend] if settings.backend else names:
            yield Run(precision, name, _arithmetic(precision, name))


def _order(precision: Precision) -> int:
    return ("fp32", "fp16", "int8").index(precision)


def _arithmetic(precision: Precision, backend: str) -> str:
    if precision == "fp16" and backend in (*CPU_BACKENDS, EXACT):
        return "float16 weights, float32 sums"  # a CPU does not round what flows between nodes
    if precision == "int8" and backend in CPU_BACKENDS:
        return "this CPU's integer kernels"
    return "as the graph says" if backend in (*CPU_BACKENDS, EXACT) else f"{backend}'s own"


class _Verifying:
    """Keeps what FP32 answered: the first backend that runs it is what others are held to."""

    def __init__(
        self,
        bundle: Bundle,
        evidence: Evidence | None,
        settings: VerifySettings,
        runs: tuple[Precision, str] | None,
    ) -> None:
        self._bundle = bundle
        self._evidence = evidence
        self._settings = settings
        self._taken = runs
        self._fp32: Answers | None = None

    def row(self, run: Run, test: SelfTest) -> Checked | None:
        """None where the machine has not got the backend, and nobody asked for it."""
        asked = self._settings.backend is not None
        try:
            tested = selftested(self._bundle, run, test)
            found = answers(self._bundle, run, self._evidence) if self._evidence else None
        except NotHere as error:
            return self._unrun(run, str(error), True) if asked else None
        except BackendError as error:
            return self._unrun(run, str(error), asked or run.backend not in GPU_BACKENDS)
        return self._checked(run, tested, found)

    def _checked(self, run: Run, tested: SelfTested, found: Answers | None) -> Checked:
        compared = self._compared(run, found) if found is not None else None
        measured = self._ap(found)
        failures = [tested.failure] if tested.failure else []
        notes: list[str] = []
        if compared is not None:
            said, notes = self._judged(run.precision, compared)
            failures += said
        failures += self._as_exported(run, measured)
        return Checked(
            precision=run.precision,
            backend=tested.backend,
            arithmetic=run.arithmetic,
            selftest=tested,
            AP=measured,
            fidelity=compared,
            failures=tuple(failures),
            notes=(*notes, *self._caution(run)),
            decides=self._decides(run),
        )

    def _unrun(self, run: Run, why: str, decides: bool) -> Checked:
        told = (f"not run: {why}",)
        return Checked(
            precision=run.precision,
            backend=str(run.backend),
            arithmetic=run.arithmetic,
            selftest=None,
            AP=None,
            fidelity=None,
            failures=told if decides else (),
            notes=() if decides else told,
            decides=decides,
        )

    def _decides(self, run: Run) -> bool:
        integer = run.precision == "int8" and run.backend in CPU_BACKENDS
        asked = self._settings.backend is not None
        return asked or not integer or self._taken == (run.precision, run.backend)

    def _caution(self, run: Run) -> Iterator[str]:
        if run.precision == "int8" and run.backend in CPU_BACKENDS:
            against = read_cpu().against_int8
            if against is not None:
                yield against

    def _compared(self, run: Run, found: Answers) -> Fidelity | None:
        assert self._evidence is not None
        if self._fp32 is None and run.precision == "fp32":
            self._fp32 = found
            return None
        reference = self._fp32 or self._reference()
        if reference is None:
            return None
        min_score = self._bundle.manifest.thresholds.min_score
        return fidelity(reference, found, self._evidence, min_score)

    def _reference(self) -> Answers | None:
        """FP32 where nobody asked for it; None where it cannot be run."""
        assert self._evidence is not None
        for backend in (*CPU_BACKENDS, *GPU_BACKENDS):
            try:
                self._fp32 = answers(self._bundle, Run("fp32", backend), self._evidence)
            except (BackendError, BundleError):
                continue
            return self._fp32
        return None

    def _ap(self, found: Answers | None) -> float | None:
        labelled = self._evidence.labelled if self._evidence else None
        return ap_of(found, labelled) if found is not None and labelled is not None else None

    def _judged(self, precision: Precision, said: Fidelity) -> tuple[list[str], list[str]]:
        """Failures and notes. FP32 on another backend is held to what FP16 is."""
        limits = self._settings.limits
        if said.AP_share is None and precision == "int8":
            return [], ["AP is not known without labels: --data COCO.json judges it"]
        verdict = judge("int8" if precision == "int8" else "fp16", said, limits)
        if said.AP_share is None and said.boxes < limits.least_boxes:
            return [], [f"only {said.boxes} boxes to compare, which show little"]
        unknown = [f"not shown: {', '.join(verdict.not_shown)}"] if verdict.not_shown else []
        return list(verdict.refused), unknown

    def _as_exported(self, run: Run, found: float | None) -> Iterator[str]:
        """On the very set that the manifest names, AP is what the manifest says."""
        said = self._bundle.manifest.variants[run.precision].accuracy
        if found is None or said is None or not self._is_same_set(said):
            return
        if abs(found - said.AP) > SAME_AP:
            yield (
                f"AP {found:.3f} on {said.dataset}, {said.AP:.3f} when it was exported "
                f"({said.backend})"
            )

    def _is_same_set(self, said: Accuracy) -> bool:
        labelled = self._evidence.labelled if self._evidence else None
        if labelled is None:
            return False
        return (labelled.name, len(labelled.images)) == (said.dataset, said.images)
