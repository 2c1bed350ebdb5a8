"""Only the newest frame waits, and every frame that does not arrive is counted."""

import threading
import time

from stopline.runtime.cameras.newest import NewestFrame, News
from stopline.runtime.frame import Frame
from tests.runtime.clips import grey

IMAGE = grey(0)


def frame(index: int, captured_ns: int = 0) -> Frame:
    return Frame("camera", index, captured_ns, IMAGE)


def test_an_empty_slot_gives_nothing() -> None:
    slot = NewestFrame(News())
    assert slot.empty
    assert slot.take() is None


def test_the_newest_frame_replaces_what_waits_and_is_taken_once() -> None:
    slot = NewestFrame(News())
    for index in range(3):
        slot.put(frame(index))
    taken = slot.take()
    assert taken is not None
    assert (taken.frame.index, taken.dropped) == (2, 2)
    assert slot.take() is None


def test_what_the_camera_itself_skipped_is_counted_too() -> None:
    slot = NewestFrame(News())
    slot.put(frame(4))
    slot.put(frame(7))
    taken = slot.take()
    assert taken is not None
    assert taken.dropped == 7  # 0 to 3, 4, 5 and 6


def test_the_stages_say_how_long_decoding_and_waiting_took() -> None:
    clock = iter([130, 170])
    slot = NewestFrame(News(), lambda: next(clock))
    slot.put(frame(0, captured_ns=100))
    taken = slot.take()
    assert taken is not None
    assert taken.stages_ns == {"decode": 30, "wait": 40}


def test_an_ended_slot_takes_nothing_more_but_gives_what_waits() -> None:
    slot, reason = NewestFrame(News()), OSError("unplugged")
    assert slot.put(frame(0))
    slot.end(reason)
    slot.end(OSError("later"))
    assert not slot.put(frame(1))
    taken = slot.take()
    assert taken is not None
    assert taken.frame.index == 0
    assert slot.error is reason


def test_drops_add_up_exactly_while_two_threads_race() -> None:
    slot, sent, taken, dropped = NewestFrame(News()), 20_000, 0, 0

    def camera() -> None:
        for index in range(sent):
            slot.put(frame(index))
        slot.end()

    thread = threading.Thread(target=camera)
    thread.start()
    while not (slot.over and slot.empty):
        if (got := slot.take()) is not None:
            taken, dropped = taken + 1, dropped + got.dropped
    thread.join()
    assert taken > 0
    assert taken + dropped == sent


def test_whoever_waits_is_woken_by_any_camera_and_not_by_old_news() -> None:
    news = News()
    slots = [NewestFrame(news), NewestFrame(news)]
    slots[0].put(frame(0))
    seen = news.count
    started = time.monotonic()
    news.wait(seen, 0.05)
    assert time.monotonic() - started >= 0.05
    threading.Timer(0.05, slots[1].put, [frame(0)]).start()
    news.wait(seen, 30)
    assert time.monotonic() - started < 10
    assert slots[1].take() is not None


def test_news_of_before_the_wait_is_not_missed() -> None:
    news = News()
    slot, seen = NewestFrame(news), news.count
    slot.put(frame(0))
    started = time.monotonic()
    news.wait(seen, 30)
    assert time.monotonic() - started < 10
