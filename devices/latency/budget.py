"""A budget: what a profile may not exceed. For CI, so what is not known is broken too."""

import importlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import msgspec

from stopline.devices.latency.report import Report

Most = Annotated[float, msgspec.Meta(ge=0)]


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """None is no limit."""


class Times(_Part, frozen=True, kw_only=True):
    """Most milliseconds."""

    p50_ms: Most | None = None
    p90_ms: Most | None = None
    p99_ms: Most | None = None
    p999_ms: Most | None = None
    mean_ms: Most | None = None


class PipelineBudget(Times, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`least_fps` frames a second, at least."""

    least_fps: Most | None = None


class CaptureBudget(Times, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`miss_ratio` of the camera's frames, at most."""

    miss_ratio: Most | None = None


class MemoryBudget(_Part, frozen=True, kw_only=True):
    """MiB."""

    rss: Most | None = None
    peak: Most | None = None
    gpu: Most | None = None


class EnergyBudget(_Part, frozen=True, kw_only=True):
    """Of one frame."""

    gross_mj_per_frame: Most | None = None
    net_mj_per_frame: Most | None = None


class ColdStartBudget(_Part, frozen=True, kw_only=True):
    """Milliseconds from nothing to the first answer."""

    total: Most | None = None


class Budget(_Part, frozen=True, kw_only=True):
    """By the names of the report."""

    engine: Times | None = None
    pipeline: PipelineBudget | None = None
    capture_to_result: CaptureBudget | None = None
    memory_mib: MemoryBudget | None = None
    energy: EnergyBudget | None = None
    cold_start_ms: ColdStartBudget | None = None


class Held(NamedTuple):
    """One limit. `found` is None where the profile does not know the figure."""

    name: str
    limit: float
    found: float | None
    at_least: bool = False

    @property
    def holds(self) -> bool:
        """What is not known does not hold."""
        if self.found is None:
            return False
        return self.found >= self.limit if self.at_least else self.found <= self.limit


def read_budget(path: Path) -> Budget:
    """JSON, or TOML by its name; raises ValueError that names the place, or OSError."""
    content = path.read_bytes()
    try:
        told = _toml(content) if path.suffix == ".toml" else msgspec.json.decode(content)
        return msgspec.convert(told, Budget)
    except (msgspec.ValidationError, msgspec.DecodeError, ValueError) as error:
        raise ValueError(f"{path} is no budget: {error}") from error


def held(budget: Budget, report: Report) -> list[Held]:
    """Every limit of the budget."""
    return list(_held(budget, report))


def _held(budget: Budget, report: Report) -> Iterator[Held]:
    for part in budget.__struct_fields__:
        limits = getattr(budget, part)
        for field in () if limits is None else limits.__struct_fields__:
            limit = getattr(limits, field)
            if limit is not None:
                found = _found(report, part, field)
                yield Held(f"{part}.{field}", limit, found, field.startswith("least_"))


def _found(report: Report, part: str, field: str) -> float | None:
    if field == "miss_ratio":
        camera = report.scenarios.camera
        return None if camera is None else camera.miss_ratio
    measured: Any = getattr(report, part)
    value = getattr(measured, field.removeprefix("least_"), None)
    return None if value is None else float(value)


def _toml(content: bytes) -> Any:
    """tomllib is in Python from 3.11 on."""
    there = [name for name in ("tomllib", "tomli") if importlib.util.find_spec(name) is not None]
    if not there:
        raise ValueError("this Python reads no TOML: write JSON, or `pip install tomli`")
    return importlib.import_module(there[0]).loads(content.decode())
