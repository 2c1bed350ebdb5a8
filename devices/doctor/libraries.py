"""Which libraries load, and which run: a tiny graph on each, its answer compared."""

from stopline.devices.doctor.finding import Finding, note, ok
from stopline.devices.doctor.identity import INSTALL_JETPACK, Identity
from stopline.devices.doctor.probed import Probed, Probes

GROUP = "libraries"
APT_CV2 = "sudo apt install python3-opencv"
NEVER_CHOSEN = "onnxruntime-tensorrt"
ON_GPU = ("cuda", NEVER_CHOSEN)


def library_findings(this: Identity, tried: Probes, gpu: bool) -> list[Finding]:
    """OpenCV, the backends, and TensorRT where there is a GPU that works for it."""
    findings = [*_opencv(this, tried), *(_backend(name, tried, gpu) for name in _looked_at(tried))]
    if not any(probed.works for probed in tried.backends.values()):
        wanted = "ONNX Runtime or OpenVINO at least"
        found, command = "no library here runs a graph", "pip install 'stopline[cpu]'"
        findings.append(Finding(GROUP, "backends", "problem", found, wanted, command))
    # A board without JetPack's packages was told so.
    missing = this.jetson and not this.tensorrt_installed and not tried.tensorrt.here
    if gpu and tried.gpu.works and not missing:
        findings.append(_tensorrt(this, tried.tensorrt))
    return findings


def _looked_at(tried: Probes) -> list[str]:
    """What is not here at all is no finding: one backend is enough."""
    return [name for name, probed in tried.backends.items() if probed.here]


def _backend(name: str, tried: Probes, gpu: bool) -> Finding:
    probed = tried.backends[name]
    if probed.works:
        return ok(GROUP, name, "runs: a tiny detector finds what it must")
    wanted = "a tiny detector runs, and finds what it must"
    found = f"does not run: {probed.failure}"
    if name in ON_GPU and not gpu:
        return note(GROUP, name, f"{found}; no GPU here works for it")
    if name == NEVER_CHOSEN:
        return note(GROUP, name, f"{found}; it is never chosen by itself")
    return Finding(GROUP, name, "warning", found, wanted, _reinstalled(name, tried))


def _reinstalled(name: str, tried: Probes) -> str:
    if name == "openvino":
        return "pip install --force-reinstall 'stopline[openvino]'"
    if name == "cuda":
        return "pip install --force-reinstall 'onnxruntime-gpu[cuda,cudnn]'"
    package = "onnxruntime-gpu" if "onnxruntime-gpu" in tried.versions else "onnxruntime"
    return f"pip install --force-reinstall {package}"


def _opencv(this: Identity, tried: Probes) -> list[Finding]:
    cv2, mend = tried.cv2, _opencv_mended(this, tried)
    if not cv2.works:
        found, wanted = f"does not load: {cv2.failure}", "cv2, which reads every camera and file"
        return [Finding(GROUP, "OpenCV", "problem", found, wanted, mend)]
    facts = cv2.facts
    findings = [ok(GROUP, "OpenCV", f"{facts.get('version')} in {facts.get('where')}")]
    if facts.get("ffmpeg") != "True" and facts.get("gstreamer") != "True":
        found, wanted = "neither FFmpeg nor GStreamer in it", "one of them, for files and RTSP"
        findings.append(Finding(GROUP, "OpenCV's video", "problem", found, wanted, mend))
    elif facts.get("gstreamer") != "True":
        findings.append(_without_gstreamer(this, tried))
    return findings


def _opencv_mended(this: Identity, tried: Probes) -> str:
    """PyPI has one with windows, which wants libGL, and one without, which wants nothing."""
    if this.jetson:
        return APT_CV2
    if "libGL" in (tried.cv2.failure or ""):
        return "pip uninstall -y opencv-python && pip install opencv-python-headless"
    return "pip install 'stopline[cpu]'"


def _without_gstreamer(this: Identity, tried: Probes) -> Finding:
    """A Jetson's CSI cameras and decoders are reached by it alone."""
    if not this.jetson:
        return note(GROUP, "OpenCV's video", "FFmpeg; no GStreamer, so no gst: and csi:// sources")
    wheels = [name for name in tried.versions if name.startswith("opencv-python")]
    removed = f"pip uninstall -y {' '.join(wheels)} && " if wheels else ""
    found = "no GStreamer in it" + (f": {wheels[0]} from PyPI hides the board's" if wheels else "")
    wanted = "GStreamer, for csi:// cameras and the board's decoders"
    return Finding(GROUP, "OpenCV's video", "warning", found, wanted, f"{removed}{APT_CV2}")


def _tensorrt(this: Identity, probed: Probed) -> Finding:
    version = " ".join(probed.facts.get(name, "") for name in ("flavour", "version")).strip()
    if probed.works:
        return ok(GROUP, "TensorRT", f"{version} builds a tiny engine, and it finds what it must")
    found = f"{version}: {probed.failure}" if version else probed.failure or ""
    command = INSTALL_JETPACK if this.jetson else "pip install 'stopline[gpu]'"
    brought = this.release.tensorrt if this.release else None
    if this.jetson and not probed.here:
        python = this.release.python if this.release else "3"
        command = f"python{python} -m venv --system-site-packages ~/stopline"
        found = "JetPack's Python package of it is not seen from this environment"
    wanted = f"TensorRT {brought} of JetPack" if brought else "TensorRT, the fastest backend"
    return Finding(GROUP, "TensorRT", "warning", found, wanted, command)
