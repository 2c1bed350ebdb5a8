"""What runs on the board. Importing it imports nothing else until a name is used."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stopline.runtime.bundle import Bundle, open_bundle
    from stopline.runtime.cameras.camera import open_camera
    from stopline.runtime.detections import Detection, Detections
    from stopline.runtime.detector import Detector, DetectorSettings
    from stopline.runtime.frame import CameraState, Frame, Result
    from stopline.runtime.pipeline import Pipeline, PipelineSettings

__all__ = [
    "Bundle",
    "CameraState",
    "Detection",
    "Detections",
    "Detector",
    "DetectorSettings",
    "Frame",
    "Pipeline",
    "PipelineSettings",
    "Result",
    "open_bundle",
    "open_camera",
]

_MODULES = {
    "bundle": ("Bundle", "open_bundle"),
    "cameras.camera": ("open_camera",),
    "detections": ("Detection", "Detections"),
    "detector": ("Detector", "DetectorSettings"),
    "frame": ("CameraState", "Frame", "Result"),
    "pipeline": ("Pipeline", "PipelineSettings"),
}


def __getattr__(name: str) -> Any:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(importlib.import_module(f"stopline.runtime.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
