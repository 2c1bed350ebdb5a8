"""Records of engines and boards that they were, or were not, built for."""

import hashlib
from pathlib import Path
from typing import Any

import msgspec

from stopline.runtime.backends.engine import Here, engine_stem
from stopline.runtime.backends.engine_record import Built, EngineRecord, Trial
from stopline.runtime.backends.tensorrt_library import Library
from stopline.runtime.bundle import Bundle
from stopline.runtime.manifest import ENGINES, Precision

ORIN = Here("Orin", "8.7", Library("tensorrt", "10.3.0"))
PLAN = b"a plan of a few bytes"


def record_for(
    bundle: Bundle, here: Here = ORIN, precision: Precision = "fp32", **changed: Any
) -> EngineRecord:
    """As `stopline build` would write it on `here`, but for what is `changed`."""
    file = bundle.manifest.variants[precision].file
    record = EngineRecord(
        schema=1,
        precision=precision,
        rung=precision,
        gpu=here.gpu,
        sm=here.sm,
        flavour=here.library.flavour,
        version=here.library.version,
        onnx_sha256=bundle.manifest.files[file].sha256,
        plan_sha256=hashlib.sha256(PLAN).hexdigest(),
        plan_bytes=len(PLAN),
        calibration_sha256=None,
        built=Built(
            optimisation=None,
            workspace_mib=64,
            dla=None,
            largest_batch=bundle.manifest.input.batch,
            seconds=1.0,
            at="2026-01-01T00:00:00+00:00",
            stopline="0",
        ),
        trial=Trial(runs=200, p50_ms=2.0, p90_ms=3.0, agrees="all"),
    )
    return msgspec.structs.replace(record, **changed)


def shelve(bundle: Bundle, record: EngineRecord, plan: bytes = PLAN) -> Path:
    """Write an engine as it is, right or wrong; gives the path of the plan."""
    folder = bundle.path / ENGINES
    folder.mkdir(exist_ok=True)
    library = Library(record.flavour, record.version)
    stem = engine_stem(record.gpu, record.sm, library, record.precision)
    (folder / f"{stem}.json").write_bytes(msgspec.json.encode(record))
    (folder / f"{stem}.plan").write_bytes(plan)
    return folder / f"{stem}.plan"
