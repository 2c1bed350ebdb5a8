"""Every alert has its video, from before it to after it, whatever becomes of the camera."""

import json
import os
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from stopline.runtime.alerts.rules import Rule, no_rules
from stopline.runtime.arrays import Image
from stopline.runtime.events import Reloaded
from stopline.runtime.frame import CameraState
from stopline.runtime.sinks.clips.clips import Clips
from stopline.runtime.sinks.clips.folder import clip_of
from stopline.runtime.sinks.clips.worker import Worker
from stopline.runtime.sinks.draw import SLATE
from tests.runtime.alerts.filmed import PERSON, SHORT, alert, feed, grey, videos
from tests.runtime.alerts.staged import rules_of, seen, times, unseen
from tests.runtime.alerts.test_webm import played


def clock_of(clips_ns: list[int]) -> Callable[[], int]:
    return lambda: clips_ns[0]


def brightness(image: Image) -> float:
    """In a corner in which nothing is drawn."""
    return float(np.median(image[-20:, -20:]))


def test_a_clip_shows_what_was_before_the_alert_and_what_came_after(tmp_path: Path) -> None:
    with Clips(tmp_path / "clips", SHORT) as clips:
        feed(clips, 0, 5)
        clips.tell(alert(1))  # the newest frame is of 4.9 s
        feed(clips, 5, 8)
        clips.tell(alert(1, "ended"))
    moments, images = played(tmp_path / "clips" / f"{alert(1).id}.webm")
    assert moments[-1] == pytest.approx(2, abs=0.11)
    assert len(images) == pytest.approx(21, abs=1)
    assert brightness(images[0]) == pytest.approx(40 + 20 * 3.9, abs=3)
    assert brightness(images[-1]) == pytest.approx(40 + 20 * 5.9, abs=3)
    assert clips.folder.written == 1


def test_boxes_and_zones_are_drawn_in_it(tmp_path: Path) -> None:
    large = np.full((720, 1280, 3), 60, np.uint8)
    rules = rules_of(Rule(name="somebody", kind="person", zone="left"))
    with Clips(tmp_path, SHORT, lambda: rules) as clips:
        clips.write(seen(0, PERSON, image=large))
        clips.tell(alert(1))
    [image] = played(tmp_path / f"{alert(1).id}.webm")[1]
    assert image.shape == (360, 640, 3)
    box_edge = image[150:210, 128]  # the left edge of a box from 0.2 to 0.3 of the width
    assert np.abs(box_edge.astype(int) - 60).max() > 60
    zone_edge = image[300:340, 318:323]  # of the zone `left`
    assert np.abs(zone_edge.astype(int) - 60).max() > 60
    assert np.abs(image[250:290, 450:600].astype(int) - 60).max() < 12, "and nowhere else"


def test_the_record_tells_both_phases(tmp_path: Path) -> None:
    with Clips(tmp_path, SHORT) as clips:
        feed(clips, 0, 2)
        clips.tell(alert(1))
        feed(clips, 2, 4)
        clips.tell(alert(1, "ended", at_s=4))
    record = json.loads((tmp_path / f"{alert(1).id}.json").read_text())
    assert record["clip"] == f"{alert(1).id}.webm"
    assert record["began"]["event"] == "alert"
    assert (record["began"]["phase"], record["ended"]["phase"]) == ("began", "ended")


def test_an_alert_that_begins_meanwhile_makes_the_clip_longer(tmp_path: Path) -> None:
    with Clips(tmp_path, SHORT) as clips:
        feed(clips, 0, 2)
        clips.tell(alert(1))
        feed(clips, 2, 2.5)
        clips.tell(alert(2))
        feed(clips, 2.5, 6)
        clips.tell(alert(3))
    first, later = (f"{alert(nth).id}.webm" for nth in (1, 3))
    assert videos(tmp_path) == [first, later]
    assert played(tmp_path / first)[0][-1] == pytest.approx(2.5, abs=0.11)
    assert clip_of(tmp_path, alert(2).id) == tmp_path / first
    assert clip_of(tmp_path, alert(3).id) == tmp_path / later


def test_alerts_without_end_make_no_clip_without_end(tmp_path: Path) -> None:
    settings = replace(SHORT, after_s=1.5, longest_s=4)
    with Clips(tmp_path, settings) as clips:
        feed(clips, 0, 2)
        for nth in range(1, 9):
            clips.tell(alert(nth))
            feed(clips, 1 + nth, 2 + nth)
    assert len(videos(tmp_path)) == 3
    assert all(played(tmp_path / name)[0][-1] <= 4.1 for name in videos(tmp_path))


def test_cameras_have_clips_of_their_own(tmp_path: Path) -> None:
    with Clips(tmp_path, SHORT) as clips:
        feed(clips, 0, 2)
        feed(clips, 0, 2, camera="rear")
        clips.tell(alert(1))
        clips.tell(alert(2, camera="rear"))
    assert len(videos(tmp_path)) == 2


def test_a_camera_that_is_lost_shows_a_slate_and_no_old_image(tmp_path: Path) -> None:
    now = [0]
    with Clips(tmp_path, SHORT, clock=clock_of(now)) as clips:
        feed(clips, 0, 2)
        clips.tell(alert(1))
        now[0] = 500_000_000
        clips.write(unseen(CameraState.STALE))
        now[0] = 1_500_000_000
        clips.write(unseen(CameraState.LOST))
        clips.write(seen(100, PERSON, image=grey(0)))
    moments, images = played(tmp_path / f"{alert(1).id}.webm")
    assert moments[-2:] == pytest.approx([1.5, 2.5], abs=0.11)
    for slate in images[-2:]:
        assert np.abs(slate[-20:].astype(int) - SLATE).max() < 12


def test_a_frame_long_after_a_clip_is_none_of_it(tmp_path: Path) -> None:
    with Clips(tmp_path, SHORT) as clips:
        feed(clips, 0, 2)
        clips.tell(alert(1))
        feed(clips, 2, 2.5)
        feed(clips, 9, 10)
    assert played(tmp_path / f"{alert(1).id}.webm")[0][-1] < 2


def test_a_fast_camera_is_kept_at_the_rate_that_was_asked_for(tmp_path: Path) -> None:
    with Clips(tmp_path, SHORT) as clips:
        for at_s in times(0, 3, 60):
            clips.write(seen(at_s, image=grey(at_s)))
        clips.tell(alert(1))
    assert len(played(tmp_path / f"{alert(1).id}.webm")[0]) == pytest.approx(10, abs=2)


def test_a_camera_that_changes_its_size_goes_on_in_the_same_clip(tmp_path: Path) -> None:
    with Clips(tmp_path, SHORT) as clips:
        feed(clips, 0, 2)
        clips.tell(alert(1))
        for at_s in times(2, 4):
            clips.write(seen(at_s, PERSON, image=grey(at_s, (480, 300))))
    images = played(tmp_path / f"{alert(1).id}.webm")[1]
    assert {image.shape for image in images} == {(90, 160, 3)}
    assert len(images) > 18


def test_without_rules_nothing_is_kept(tmp_path: Path) -> None:
    with Clips(tmp_path, SHORT, no_rules) as clips:
        feed(clips, 0, 2)
        clips.tell(alert(1))
    assert videos(tmp_path) == []


def test_memory_is_bounded_whatever_the_images_are(tmp_path: Path) -> None:
    settings = replace(SHORT, before_s=1000, ring_mib=0.5)
    noise = np.random.default_rng(0).integers(0, 255, (360, 640, 3), np.uint8)
    with Clips(tmp_path, settings) as clips:
        for at_s in times(0, 10):
            clips.write(seen(at_s, image=noise))
            assert clips._cameras["front"].ring.bytes <= 0.5 * (1 << 20)


def test_other_events_are_none_of_its_business(tmp_path: Path) -> None:
    with Clips(tmp_path) as clips:
        clips.tell(Reloaded(at_ns=0, utc="", path="", error=None))
        clips.tell(alert(1, "ended"))
    assert list(tmp_path.iterdir()) == []


def test_writing_a_clip_does_not_hold_up_whoever_gives_results(tmp_path: Path) -> None:
    large = np.full((720, 1280, 3), 90, np.uint8)
    took = []
    with Clips(tmp_path, SHORT) as clips:
        for nth, at_s in enumerate(times(0, 4)):
            if nth == 20:
                clips.tell(alert(1))
            began = time.thread_time()
            clips.write(seen(at_s, PERSON, image=large))
            took.append(time.thread_time() - began)
    assert np.median(took[21:]) < 3 * np.median(took[:20]) + 0.002


def test_its_thread_gives_way_and_ends(tmp_path: Path) -> None:
    clips = Clips(tmp_path)
    thread = clips._worker._thread
    assert thread.native_id is not None
    deadline = time.monotonic() + 5
    while os.getpriority(os.PRIO_PROCESS, thread.native_id) <= os.getpriority(os.PRIO_PROCESS, 0):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    clips.close()
    assert not thread.is_alive()


def test_closing_takes_only_so_long_and_leaves_out_what_need_not_be_done() -> None:
    done: list[int] = []
    worker = Worker("slow", close_within_s=0.2)

    def slowly(nth: int) -> None:
        time.sleep(0.05)
        done.append(nth)

    for nth in range(100):
        worker.do_if_time(partial(slowly, nth))
    worker.do(partial(slowly, 1000))
    began = time.monotonic()
    worker.close()
    assert time.monotonic() - began < 2
    assert 1 <= len(done) < 50
    assert done[-1] == 1000
