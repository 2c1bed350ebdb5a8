"""A plan built by TensorRT. Run it in a child process: a builder may take the process with it."""

import time
from dataclasses import dataclass
from types import ModuleType
from typing import Any, NamedTuple

from stopline.devices.engines.layer_report import layers_of, placed
from stopline.devices.engines.memory import workspace_mib
from stopline.devices.engines.network import EngineError, Parsed, parsed
from stopline.devices.engines.progress import OnProgress, monitor
from stopline.runtime.backends.engine_record import EngineLayer, Placement
from stopline.runtime.backends.tensorrt_library import library_of, tensorrt_log, tensorrt_module

MIB = 1 << 20
# In TensorRT for RTX a timing cache does nothing, and making one is deprecated.
TIMES_KERNELS = frozenset({"tensorrt"})


@dataclass(frozen=True)
class BuildSettings:
    """None leaves the choice to TensorRT; of the workspace, half of what is free."""

    optimisation: int | None = None  # 0 to 5: how long it looks for faster kernels
    workspace_mib: int | None = None
    dla: int | None = None  # a core of the accelerator; what it cannot do falls to the GPU
    largest_batch: int = 1


class Plan(NamedTuple):
    """An engine, serialized, and what is known of it."""

    content: bytes
    seconds: float
    workspace_mib: int | None
    layers: tuple[EngineLayer, ...]
    placement: Placement | None
    timing_cache: bytes | None  # for the next build


def build_plan(
    model: bytes,
    settings: BuildSettings,
    timing_cache: bytes | None = None,
    on_progress: OnProgress = lambda share, phase: None,
) -> Plan:
    """Raises EngineError if it cannot be parsed or built, BackendError without TensorRT.

    A graph with an open batch gets one optimization profile, for 1 to `largest_batch` images.
    """
    trt = tensorrt_module()
    started = time.monotonic()
    read = parsed(model, trt)
    config = read.builder.create_builder_config()
    config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED  # the layers are in the log
    config.progress_monitor = monitor(trt, on_progress)
    if settings.optimisation is not None:
        config.builder_optimization_level = settings.optimisation
    scratch_mib = workspace_mib(settings.workspace_mib)
    if scratch_mib is not None:
        config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, scratch_mib * MIB)
    placement = _on_dla(trt, read, config, settings)
    _add_profile(read, config, settings.largest_batch)
    _use_timing_cache(trt, config, timing_cache)
    content = _built(trt, read, config)
    return Plan(
        content=content,
        seconds=time.monotonic() - started,
        workspace_mib=scratch_mib,
        layers=layers_of(tensorrt_log(trt).told.details or _inspected(trt, content)),
        placement=placement,
        timing_cache=_timing_cache(trt, config),
    )


def _built(trt: ModuleType, read: Parsed, config: Any) -> bytes:
    plan = read.builder.build_serialized_network(read.network, config)
    if plan is None:
        told = tensorrt_log(trt).told
        said = " ".join(told.errors)
        raise EngineError(f"{library_of(trt)} cannot build it: {told.first_error()}", said)
    return bytes(plan)


def _on_dla(
    trt: ModuleType, read: Parsed, config: Any, settings: BuildSettings
) -> Placement | None:
    if settings.dla is None:
        return None
    builder, network = read.builder, read.network
    if settings.dla >= builder.num_DLA_cores:
        raise EngineError(
            f"no DLA core {settings.dla}: {library_of(trt)} counts {builder.num_DLA_cores} here; "
            "leave out --dla"
        )
    if network.get_input(0).shape[0] == -1:
        raise EngineError("a DLA takes no open batch: export the bundle with --batch 1")
    config.default_device_type = trt.DeviceType.DLA
    config.DLA_core = settings.dla
    config.set_flag(trt.BuilderFlag.GPU_FALLBACK)
    layers = [network.get_layer(i) for i in range(network.num_layers)]
    return placed({layer.name: bool(config.can_run_on_DLA(layer)) for layer in layers})


def _add_profile(read: Parsed, config: Any, largest_batch: int) -> None:
    tensor = read.network.get_input(0)
    batch, *image = tensor.shape
    if batch != -1:
        if batch < largest_batch:
            raise EngineError(
                f"the graph takes {batch} frames at once and the manifest promises "
                f"{largest_batch}: no profile covers both"
            )
        return
    if -1 in image:
        raise EngineError(
            f"frames {tuple(tensor.shape)}: only the batch may be open, "
            "the profile has one height and width; export the bundle again"
        )
    profile = read.builder.create_optimization_profile()
    most = (largest_batch, *image)
    profile.set_shape(tensor.name, (1, *image), most, most)
    if config.add_optimization_profile(profile) < 0:
        raise EngineError(f"TensorRT takes no profile of 1 to {largest_batch} frames {image}")


def _use_timing_cache(trt: ModuleType, config: Any, content: bytes | None) -> None:
    if trt.__name__ not in TIMES_KERNELS:
        return
    timing = config.create_timing_cache(content or b"")
    if not config.set_timing_cache(timing, False):  # it is of another GPU or version
        config.set_timing_cache(config.create_timing_cache(b""), False)


def _timing_cache(trt: ModuleType, config: Any) -> bytes | None:
    if trt.__name__ not in TIMES_KERNELS:
        return None
    timing = config.get_timing_cache()
    return None if timing is None else bytes(timing.serialize())


def _inspected(trt: ModuleType, plan: bytes) -> list[str]:
    """Where the builder described nothing; needs a GPU, and gives nothing without one."""
    runtime = trt.Runtime(tensorrt_log(trt))
    engine = runtime.deserialize_cuda_engine(plan)
    if engine is None:
        return []
    inspector = engine.create_engine_inspector()
    return [inspector.get_engine_information(trt.LayerInformationFormat.ONELINE)]
