"""Every name of TensorRT that the source uses is in every version that is served.

The lists were read from the wheels of 10.3.0, which JetPack 6 has, of 11.4.0 and of RTX 1.7.1.
"""

import ast
import importlib.util
import textwrap

import pytest

from tests.conftest import ROOT
from tests.house.tensorrt_conformance import (
    NAMES,
    imports_tensorrt,
    names_of_others,
    read_names,
    touches_tensorrt,
    version_names,
    wrong_uses,
)

FOLDERS = ("runtime", "devices", "export", "train", "src/stopline/cli")
TREES = {
    str(path.relative_to(ROOT)): ast.parse(path.read_text())
    for folder in FOLDERS
    for path in sorted((ROOT / folder).rglob("*.py"))
}
OTHERS = names_of_others(list(TREES.values()))
VERSIONS = version_names()
TOUCHING = [name for name, tree in TREES.items() if touches_tensorrt(tree)]
if not importlib.util.find_spec("onnx"):  # whose own names the checker could not tell apart
    TOUCHING = [name for name in TOUCHING if not name.startswith(("export", "train"))]
GOOD = """
def flags(trt, builder, engine):
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    config = builder.create_builder_config()
    config.set_flag(trt.BuilderFlag.GPU_FALLBACK)
    return [engine.get_tensor_name(i) for i in range(engine.num_io_tensors)], network.num_layers
"""


def found_in(source: str) -> str:
    uses = wrong_uses(ast.parse(textwrap.dedent(source)), VERSIONS, OTHERS)
    return "; ".join(use.what for use in uses)


def test_three_versions_are_listed_with_what_makes_them_differ() -> None:
    assert set(VERSIONS) == {"10.3.0", "11.4.0", "rtx-1.7.1"}
    assert "INT8" in VERSIONS["10.3.0"]["BuilderFlag"]
    assert "INT8" not in VERSIONS["11.4.0"]["BuilderFlag"]
    assert "is_stream_capturable" in VERSIONS["rtx-1.7.1"]["IExecutionContext"]


@pytest.mark.parametrize("module", TOUCHING)
def test_every_name_in_the_source_is_in_every_version(module: str) -> None:
    uses = wrong_uses(TREES[module], VERSIONS, OTHERS)
    assert not uses, "\n".join(f"{module}:{use.line}: {use.what}" for use in uses)


def test_the_modules_that_build_and_run_engines_are_among_the_checked() -> None:
    expected = {
        "devices/engines/plan.py",
        "devices/engines/network.py",
        "runtime/backends/tensorrt_backend.py",
        "runtime/backends/tensorrt_library.py",
    }
    assert expected <= set(TOUCHING)


def test_tensorrt_is_imported_in_one_place_only() -> None:
    found = {name: lines for name, tree in TREES.items() if (lines := imports_tensorrt(tree))}
    assert not found
    assert imports_tensorrt(ast.parse("import tensorrt as t")) == [1]
    assert imports_tensorrt(ast.parse("from tensorrt_rtx import Builder")) == [1]


def test_names_that_all_versions_have_pass() -> None:
    assert found_in(GOOD) == ""


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (
            "config.set_flag(trt.BuilderFlag.INT8)",
            "BuilderFlag.INT8, which 11.4.0, rtx-1.7.1 lacks",
        ),
        ("config.set_flag(trt.BuilderFlag.FP16)", "BuilderFlag.FP16, which 11.4.0, rtx-1.7.1"),
        ("calibrator = trt.IInt8EntropyCalibrator2()", "trt.IInt8EntropyCalibrator2, which 11.4.0"),
        ("class C(trt.IInt8EntropyCalibrator2): pass", "trt.IInt8EntropyCalibrator2, which 11.4.0"),
        (
            "1 << int(trt.NetworkDefinitionCreationFlag.EXPLICIT_BATCH)",
            "NetworkDefinitionCreationFlag.EXPLICIT_BATCH, which 11.4.0",
        ),
        ("context.execute_async_v2(b, s)", "IExecutionContext.execute_async_v2, which 10.3.0"),
        ("self._context.execute_async_v2(b, s)", "IExecutionContext.execute_async_v2, which"),
        ("engine.num_bindings", "ICudaEngine.num_bindings, which 10.3.0, 11.4.0, rtx-1.7.1 lacks"),
        ("builder.platform_has_fast_int8", "Builder.platform_has_fast_int8, which 11.4.0"),
        ("config.int8_calibrator = c", "IBuilderConfig.int8_calibrator, which 11.4.0"),
        ("network.get_layer(0).precision", "ILayer.precision, which 11.4.0"),
        ("trt.Runtime(log).deserialize_engine(p)", "Runtime.deserialize_engine, which 10.3.0"),
        # By another name, or none, it is still found.
        ("thing.num_bindings", "num_bindings, of something that is not known"),
        ("flags = trt.BuilderFlag\nflags.INT8", "INT8, of something that is not known"),
        ("make().execute_async_v2(b, s)", "execute_async_v2, of something that is not known"),
        ("getattr(engine, 'num_bindings')", "getattr on TensorRT's objects"),
        ("hasattr(trt.BuilderFlag, 'INT8')", "hasattr on TensorRT's objects"),
        # What only some have goes through by_name, which is checked as well.
        ("context.is_stream_capturable(s)", "is_stream_capturable, which 10.3.0, 11.4.0 lacks"),
        ("by_name(context, 'is_stream_capturble')", "which no version has"),
        ("by_name(context, 'execute_async_v3')", "which every version has"),
        ("by_name(engine, wanted)", "by_name of something that is not known"),
        ("class M(trt.IProgressMonitor):\n    def phase_begin(self): pass", "phase_begin, which"),
    ],
)
def test_a_name_that_a_version_lacks_is_caught(source: str, told: str) -> None:
    assert told in found_in(source)


def test_a_name_of_some_versions_may_be_looked_up() -> None:
    assert found_in("by_name(context, 'is_stream_capturable')") == ""


def test_the_installed_tensorrt_rtx_is_as_listed() -> None:
    rtx = pytest.importorskip("tensorrt_rtx")
    [listed] = [
        path for path in NAMES.glob("rtx-*.txt") if rtx.__version__.startswith(path.stem[4:])
    ]
    for kind, members in read_names(listed).items():
        if members:
            assert members <= set(dir(getattr(rtx, kind))), kind


def test_the_names_of_cuda_python_are_there() -> None:
    cudart = pytest.importorskip("cuda.bindings.runtime")
    tree = TREES["runtime/backends/cuda.py"]
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    calls = {name for name in used if name.startswith("cuda") and name != "cudart"}
    assert len(calls) > 15
    kinds = (cudart, cudart.cudaMemcpyKind, cudart.cudaStreamCaptureMode)
    assert calls <= {name for kind in kinds for name in dir(kind)}
