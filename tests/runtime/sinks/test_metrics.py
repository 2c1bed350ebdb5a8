"""Prometheus' own parser reads the page, and no client can hold anything up."""

import socket
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from stopline.runtime.events import Step
from stopline.runtime.frame import CameraState
from stopline.runtime.sinks import metrics_page
from stopline.runtime.sinks.address import Address
from stopline.runtime.sinks.metrics import BUCKETS_S, MOST_NAMES, Metrics
from tests.runtime.clips import until
from tests.runtime.sinks.giving import alert, live, silent

Labels = tuple[tuple[str, str], ...]


def scraped(metrics: Metrics) -> dict[tuple[str, Labels], float]:
    with urllib.request.urlopen(metrics.url, timeout=10) as page:
        text = page.read().decode()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@contextmanager
def serving(**losses: int) -> Iterator[Metrics]:
    with Metrics(Address("127.0.0.1", 0), lambda: losses) as metrics:
        yield metrics


FRONT = (("camera", "front"),)


def test_every_metric_has_its_name_its_labels_and_its_value() -> None:
    with serving(mqtt=7, json=0) as metrics:
        for _ in range(3):
            metrics.write(live())
        metrics.write(replace(live(camera="rear"), dropped=4, missed=1))
        metrics.write(silent(CameraState.LOST, dropped=2))
        metrics.tell(alert(rule="near"))
        metrics.tell(alert(rule="near"))
        metrics.tell(Step(at_ns=0, utc="", level=2, rung="half rate", why="late"))
        page = scraped(metrics)
    assert page["stopline_results_total", FRONT] == 3
    assert page["stopline_dropped_total", FRONT] == 2
    assert page["stopline_missed_total", (("camera", "rear"),)] == 1
    assert page["stopline_age_seconds_count", FRONT] == 3
    assert page["stopline_age_seconds_sum", FRONT] == pytest.approx(0.036)
    assert page["stopline_age_seconds_bucket", (*FRONT, ("le", "0.01"))] == 0
    assert page["stopline_age_seconds_bucket", (*FRONT, ("le", "0.02"))] == 3
    engine = (*FRONT, ("stage", "engine"))
    assert page["stopline_stage_seconds_sum", engine] == pytest.approx(0.024)
    states = {
        state.value: page["stopline_camera_state", (*FRONT, ("state", state.value))]
        for state in CameraState
    }
    assert states == {"CONNECTING": 0, "LIVE": 0, "STALE": 0, "LOST": 1, "ENDED": 0}
    assert page["stopline_alerts_total", (*FRONT, ("rule", "near"))] == 2
    assert page["stopline_sink_lost_total", (("sink", "mqtt"),)] == 7
    assert page["stopline_degraded_level", ()] == 2
    assert page["process_open_fds", ()] > 0


def test_two_runs_in_one_process_share_nothing() -> None:
    with serving() as first, serving() as second:
        first.write(live())
        assert ("stopline_results_total", FRONT) not in scraped(second)


def test_buckets_span_a_stage_to_an_answer_nobody_needs() -> None:
    assert BUCKETS_S[0] == 0.001
    assert BUCKETS_S[-1] == 2
    assert list(BUCKETS_S) == sorted(set(BUCKETS_S))


def test_rules_renamed_for_ever_do_not_fill_prometheus() -> None:
    with serving() as metrics:
        for number in range(3 * MOST_NAMES):
            metrics.tell(alert(rule=f"rule {number}"))
        page = scraped(metrics)
    series = [labels for name, labels in page if name == "stopline_alerts_total"]
    assert len(series) == MOST_NAMES + 1
    assert page["stopline_alerts_total", (*FRONT, ("rule", "other"))] == 2 * MOST_NAMES


def test_clients_that_say_nothing_or_read_nothing_hold_nobody_and_are_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = threading.active_count()
    monkeypatch.setattr(metrics_page, "CLIENT_TIMEOUT_S", 0.5)
    with serving() as metrics:
        metrics.write(live())
        at = ("127.0.0.1", int(metrics.url.split(":")[2].split("/")[0]))
        mute = [socket.create_connection(at) for _ in range(8)]
        deaf = [socket.create_connection(at) for _ in range(4)]
        for client in deaf:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
            client.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        began = time.perf_counter()
        assert scraped(metrics)["stopline_results_total", FRONT] == 1
        metrics.write(live())
        assert time.perf_counter() - began < 1
        until(lambda: threading.active_count() <= before + 1, within_s=5)
        for client in mute + deaf:
            client.close()
    assert threading.active_count() == before


def test_more_clients_than_there_is_room_for_are_hung_up_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = threading.active_count()
    monkeypatch.setattr(metrics_page, "CLIENT_TIMEOUT_S", 0.5)
    with serving() as metrics:
        at = ("127.0.0.1", int(metrics.url.split(":")[2].split("/")[0]))
        clients = [socket.create_connection(at) for _ in range(60)]
        time.sleep(0.2)
        assert threading.active_count() <= before + 1 + metrics_page.MOST_CLIENTS
        for client in clients:
            client.close()
        until(lambda: threading.active_count() <= before + 1, within_s=5)
        assert scraped(metrics)["stopline_degraded_level", ()] == 0


def test_a_port_that_is_taken_is_an_error_at_once_and_a_closed_page_frees_its_port() -> None:
    with serving() as metrics:
        port = int(metrics.url.split(":")[2].split("/")[0])
        with pytest.raises(OSError, match="choose another port"):
            Metrics(Address("127.0.0.1", port))
    with Metrics(Address("127.0.0.1", port)) as again:
        assert scraped(again)
