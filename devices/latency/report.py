"""What a profile says, as it is written: `report.schema.json` beside this is made of it."""

from typing import Literal

import msgspec

from stopline.devices.latency.comparison import Comparison
from stopline.devices.latency.figures import Figures

SCHEMA = 1
ID = "https://stopline.invalid/schema/profile-1.json"


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A field that is missing or unknown is an error: the writer was another version."""


class Subject(_Part, frozen=True, kw_only=True):
    """What was measured."""

    bundle: str
    precision: str
    backend: str
    threads: int
    model_sha256: str
    input_wh: tuple[int, int]
    batch: int
    source: str
    frame_wh: tuple[int, int]


class Measured(Figures, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Figures of what came after the warm-up. `steady` is False where that never ended.

    Then nothing is left out. Windows that are not valid are, unless that were more than half.
    """

    warm_up: int  # runs left out at the start
    steady: bool
    left_out: int  # in windows that are not valid
    samples_ms: list[float]  # those that the figures are of, in their order


class Throughput(Measured, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Times from one result to the next, when every frame waits ready for us."""

    fps: float | None
    decodes: bool  # frames came from a file; else they lay in memory


class SingleStream(Measured, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One image after the other, letterbox to boxes; MLPerf's figure is p90."""

    headline: Literal["p90_ms"] = "p90_ms"


class MultiStream(Measured, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Queries of several images, one query after the other; MLPerf's figure is p99 of a query."""

    streams: int
    headline: Literal["p99_ms"] = "p99_ms"


class CameraRate(_Part, frozen=True, kw_only=True):
    """A camera that does not wait for us. sent = answered + dropped.

    `miss_ratio` is the share of what was sent that was not answered within the deadline: dropped,
    or `late`. With `enforced` the pipeline knew the deadline, and did not publish what was late.
    """

    offered_fps: float | None
    answered_fps: float | None
    sent: int
    answered: int
    dropped: int
    late: int
    deadline_ms: float
    enforced: bool
    miss_ratio: float | None
    most_age_ms: float | None
    age_growth_ms: float | None  # median of the last quarter less that of the quarter before
    replayed: bool  # frames from memory, at exact times; else the source itself


class Window(_Part, frozen=True, kw_only=True):
    """About a second. `p50_ms` is of that part's own times, `own_p50_ms` without waiting for cores.

    What no sensor tells is missing.
    """

    part: str
    start_s: float
    end_s: float
    n: int
    p50_ms: float | None
    own_p50_ms: float | None
    waited_share: float | None  # of the time, for a core that others used
    others_share: float | None  # of all cores, used by other programs
    clocks_mhz: dict[str, float]
    temperatures_c: dict[str, float]
    power_w: dict[str, float]
    throttled: str | None
    valid: bool
    why: str | None  # it is not valid


class Sessions(_Part, frozen=True, kw_only=True):
    """The engine's median in each of some new sessions, by which two reports are compared."""

    runs: int  # of all together
    minus_waiting: bool  # times are without those spent waiting for a core
    p50_ms: list[float]  # in the order in which they were opened


class Conditions(_Part, frozen=True, kw_only=True):
    """What does not change while one measures; None or missing where it cannot be told."""

    machine: str
    board: str | None
    cpu: str | None
    cpus: int
    gpu: str | None
    memory_mib: int | None
    kernel: str
    python: str
    libraries: dict[str, str]
    governors: list[str]
    power_mode: str | None
    sensors: dict[str, list[str]]  # what there is to read: clocks, temperatures, power


class Layer(_Part, frozen=True, kw_only=True):
    """Of one node of the graph as the backend runs it."""

    name: str
    kind: str
    ms: float  # a run, on average
    share: float
    reformat: bool  # it only lays data out anew


class Layers(_Part, frozen=True, kw_only=True):
    """From a pass of its own, because it slows the rest down by `slowdown`."""

    tool: str
    runs: int
    slowdown: float | None  # p50 of the engine with it, over that without
    reformat_share: float
    layers: list[Layer]


class Energy(_Part, frozen=True, kw_only=True):
    """Idle is what the machine takes with the model loaded and nothing to do."""

    sensors: list[str]
    idle_w: float | None
    load_w: float | None
    frames: int
    gross_mj_per_frame: float | None
    net_mj_per_frame: float | None  # above idle


class Memory(_Part, frozen=True, kw_only=True):
    """Of this process; `peak` since it started."""

    rss: float | None
    peak: float | None
    gpu: float | None = None


class ColdStart(_Part, frozen=True, kw_only=True):
    """Medians of `n` new processes; `process` is from its start until Python runs our code."""

    n: int
    process: float
    imports: float = msgspec.field(name="import")
    load: float
    first_frame: float
    total: float


class Overhead(_Part, frozen=True, kw_only=True):
    """What looking cost: of one run's time, and of one core's."""

    per_run_us: float
    watch_share: float


class Against(_Part, frozen=True, kw_only=True):
    """Two detectors measured in turn; B against A."""

    subjects: tuple[Subject, Subject]
    comparison: Comparison
    seconds: float
    minus_waiting: bool  # times are without those spent waiting for a core
    a_ms: list[float]  # the pairs in their order
    b_ms: list[float]


class Scenarios(_Part, frozen=True, kw_only=True):
    """Those that were asked for."""

    single_stream: SingleStream | None = None
    multi_stream: MultiStream | None = None
    camera: CameraRate | None = None


class Report(_Part, frozen=True, kw_only=True):
    """One profile. `engine`, `pipeline` and `capture_to_result` are never the same thing."""

    schema: int = SCHEMA
    stopline: str
    utc: str
    subject: Subject
    engine: Measured | None
    pipeline: Throughput | None
    capture_to_result: Measured | None
    scenarios: Scenarios
    stages: dict[str, Figures]
    layers: Layers | None
    conditions: Conditions
    windows: list[Window]
    sessions: Sessions | None
    energy: Energy | None
    memory_mib: Memory
    cold_start_ms: ColdStart | None
    overhead: Overhead
    remarks: list[str]


def read_report(content: bytes, name: str) -> Report:
    """Raise ValueError that names the place in what is no report of this version."""
    try:
        return msgspec.json.decode(content, type=Report)
    except msgspec.DecodeError as error:
        raise ValueError(
            f"{name} is no report of this version: {error}; `stopline profile --json` writes one"
        ) from error


def json_schema() -> dict[str, object]:
    """What every report validates against."""
    made = msgspec.json.schema(Report)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": ID, **made}
