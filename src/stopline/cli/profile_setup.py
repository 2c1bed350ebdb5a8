"""What `stopline profile` measures, opened as its options say."""

from dataclasses import replace

import click
import cv2

from stopline.cli.profile_options import SCENARIOS, ProfileOptions
from stopline.devices.latency.parts import ProfileSettings, Sources
from stopline.devices.latency.replay import keep
from stopline.runtime.cameras.camera import find_source
from stopline.runtime.detector import Detector, DetectorSettings

SIMULATED = "sim://"
OTHERS = ("bundle", "precision", "backend", "threads")


def detector_of(options: ProfileOptions) -> Detector:
    """As `stopline run` opens it."""
    # OpenCV's threads would wait for cores on which the backend's still spin.
    cv2.setNumThreads(1)
    settings = DetectorSettings(
        backend=options.backend, precision=options.precision, threads=options.threads
    )
    return Detector(options.bundle, settings=settings)


def sources_of(options: ProfileOptions) -> Sources:
    """A simulated road is drawn beforehand: drawing is work that no camera is."""
    source = options.source
    found = find_source(source)
    simulated = source.startswith(SIMULATED)
    kept = keep(source)
    is_video = not found.live and kept.fps is not None and not simulated
    return Sources(
        source, kept, as_it_is=is_video or (found.live and not simulated), playable=is_video
    )


def settings_of(options: ProfileOptions) -> ProfileSettings:
    """How it is measured."""
    return ProfileSettings(
        seconds=options.seconds,
        scenarios=options.scenarios or SCENARIOS,
        streams=options.streams,
        fps=options.fps,
        deadline_ms=options.deadline_ms,
        cold_starts=options.cold_starts,
        layers=options.layers,
    )


def other(options: ProfileOptions, text: str) -> ProfileOptions:
    """The options of B: `text` is a bundle, or what differs as key=value,…"""
    if "=" not in text:
        return replace(options, bundle=text)
    changed = options
    for pair in text.split(","):
        key, _, value = pair.partition("=")
        if key not in OTHERS or not value:
            raise click.UsageError(f"--against {pair!r}: wanted {'=…, '.join(OTHERS)}=…")
        if key == "threads" and not value.isdecimal():
            raise click.UsageError(f"--against {pair!r}: wanted a whole number")
        if key == "precision" and value not in ("fp32", "fp16", "int8"):
            raise click.UsageError(f"--against {pair!r}: wanted fp32, fp16 or int8")
        changed = replace(changed, **{key: int(value) if key == "threads" else value})  # type: ignore[arg-type]  # checked above
    return changed
