"""The folder of clips does not grow for ever, survives its process, and has files of others."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np

from stopline.runtime.sinks.clips.clips import Clips
from stopline.runtime.sinks.clips.folder import clip_of, read_record
from tests.conftest import ROOT
from tests.runtime.alerts.filmed import SHORT, alert, videos
from tests.runtime.alerts.staged import seen, times
from tests.runtime.alerts.test_webm import played
from tests.runtime.clips import until


def one_clip(clips: Clips, nth: int) -> None:
    """Of noise, which takes many bytes."""
    chance = np.random.default_rng(nth)
    for at_s in times(10 * nth, 10 * nth + 1, 5):
        clips.write(seen(at_s, image=chance.integers(0, 255, (180, 320, 3), np.uint8)))
    clips.tell(alert(nth))
    clips.tell(alert(nth, "ended"))


def test_the_oldest_clips_go_and_nobody_elses_files_do(tmp_path: Path) -> None:
    others = {
        "holiday.webm": b"a video of mine",
        "20261124T120000000Z-somebody-ffffff.webm": b"named like one, and none of ours",
        "20261124T120000001Z-somebody-ffffff.json": b'{"clip": "mine too"}',
        "notes.json": b"{}",
    }
    for name, content in others.items():
        (tmp_path / name).write_bytes(content)
    settings = replace(SHORT, most_mib=0.4, after_s=0.1)
    with Clips(tmp_path, settings) as clips:
        for nth in range(1, 13):
            one_clip(clips, nth)
    kept = [name for name in videos(tmp_path) if name not in others]
    assert 2 <= len(kept) < 12
    assert kept == [f"{alert(nth).id}.webm" for nth in range(13 - len(kept), 13)]
    records = [p.stem for p in tmp_path.glob("*.json") if p.name not in others]
    assert sorted(records) == [name.removesuffix(".webm") for name in kept]
    ours = sum((tmp_path / name).stat().st_size for name in kept)
    assert ours <= 0.4 * (1 << 20)
    assert clips.folder.deleted == 12 - len(kept)
    assert {name: (tmp_path / name).read_bytes() for name in others} == others


def test_clips_of_earlier_runs_count_too(tmp_path: Path) -> None:
    with Clips(tmp_path, replace(SHORT, after_s=0.1)) as clips:
        for nth in range(1, 7):
            one_clip(clips, nth)
    assert len(videos(tmp_path)) == 6
    with Clips(tmp_path, replace(SHORT, most_mib=0.4)) as clips:
        assert clips.folder.deleted == 6 - len(videos(tmp_path))
    assert 1 <= len(videos(tmp_path)) <= 3
    assert f"{alert(6).id}.webm" in videos(tmp_path)


def test_a_clip_that_alone_is_too_large_ends_early(tmp_path: Path) -> None:
    with Clips(tmp_path, replace(SHORT, most_mib=0.2, before_s=5)) as clips:
        chance = np.random.default_rng(0)
        for at_s in times(0, 5):
            clips.write(seen(at_s, image=chance.integers(0, 255, (360, 640, 3), np.uint8)))
        clips.tell(alert(1))
    assert len(played(tmp_path / f"{alert(1).id}.webm")[0]) >= 1
    assert clips.folder.bytes <= 0.4 * (1 << 20)


FULL_DISK = """
import sys
from pathlib import Path
from stopline.runtime.sinks.clips.clips import Clips
from tests.runtime.alerts.filmed import SHORT, alert, feed
import resource, time
clips = Clips(Path(sys.argv[1]), SHORT)
errors = []
def attempt(action):
    try:
        action()
    except OSError as error:
        errors.append(str(error))
def settle(start):
    for k in range(30):
        attempt(lambda: feed(clips, start + k / 10, start + k / 10 + 0.1))
        time.sleep(0.02)
settle(0)
resource.setrlimit(resource.RLIMIT_FSIZE, (6_000, -1))
attempt(lambda: clips.tell(alert(1)))
settle(3)
resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))
attempt(lambda: clips.tell(alert(2)))
settle(6)
attempt(clips.close)
print(len(errors), errors[0])
"""


def test_a_full_disk_costs_a_clip_and_the_next_is_made(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr
    count, _, said = ended.stdout.strip().partition(" ")
    assert 1 <= int(count) <= 3
    assert said.startswith(f"cannot write '{tmp_path}")
    assert len(played(tmp_path / f"{alert(1).id}.webm")[0]) >= 1, "cut short, and plays"
    assert len(played(tmp_path / f"{alert(2).id}.webm")[0]) > 15


KILLED = """
import sys, time
from pathlib import Path
from stopline.runtime.sinks.clips.clips import Clips, ClipsSettings
from tests.runtime.alerts.filmed import alert, feed
clips = Clips(Path(sys.argv[1]), ClipsSettings(before_s=2, after_s=1000, longest_s=1000))
feed(clips, 0, 3)
clips.tell(alert(1))
for k in range(10**6):
    feed(clips, 3 + k / 10, 3.1 + k / 10)
    time.sleep(0.01)
    print(k, flush=True)
"""


def test_a_run_that_is_killed_leaves_a_clip_that_plays_and_the_next_run_finishes_it(
    tmp_path: Path,
) -> None:
    path = tmp_path / f"{alert(1).id}.webm"
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, cwd=ROOT
    )
    try:
        assert process.stdout is not None
        process.stdout.readline()
        until(lambda: path.is_file() and len(played(path)[0]) > 20, 30)
        with Clips(tmp_path) as beside:
            assert beside.folder.recovered == beside.folder.removed == 0, "it is being made"
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=20)
    before = len(played(path)[0])
    half = tmp_path / f".{alert(1).id}.json.abc.new"
    half.write_text("{")
    os.utime(half, (0, 0))
    with Clips(tmp_path) as clips:
        assert (clips.folder.recovered, clips.folder.removed) == (1, 1)
    assert before - 1 <= len(played(path)[0]) <= before, "half a frame may play, and is not kept"
    record = read_record(path.with_suffix(".json"))
    assert record is not None
    assert record.ended is None, "nobody saw it end"
    with Clips(tmp_path) as clips:
        assert (clips.folder.recovered, clips.folder.removed) == (0, 0)


def test_ids_that_are_no_ids_have_no_clip(tmp_path: Path) -> None:
    (tmp_path / "secret.webm").write_bytes(b"")
    folder = tmp_path / "clips"
    folder.mkdir()
    linked = alert(1).id
    (folder / f"{linked}.webm").symlink_to(tmp_path / "secret.webm")
    for tried in ("../secret", "secret", "", linked):
        assert clip_of(folder, tried) is None
    named = alert(2)
    outside = tmp_path / f"{alert(3).id}.webm"
    outside.write_bytes(b"")
    for clip in ("../secret.webm", f"../{outside.name}", str(outside)):
        record = {"clip": clip, "began": msgspec.to_builtins(named)}
        (folder / f"{named.id}.json").write_text(json.dumps(record))
        assert clip_of(folder, named.id) is None, clip
