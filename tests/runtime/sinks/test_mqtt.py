"""MQTT with a real broker: it is not there, it comes, it is killed, it hangs, and it lies."""

import json
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from stopline.runtime.frame import CameraState
from stopline.runtime.sinks.behind import Behind
from stopline.runtime.sinks.broker import PASSWORD_VARIABLE, Broker, Topics, parse_broker
from stopline.runtime.sinks.json_lines import event_json, result_json
from stopline.runtime.sinks.mqtt import MOST_UNSENT, Mqtt
from tests.runtime.clips import until
from tests.runtime.sinks.giving import alert, crowd, live, silent
from tests.runtime.sinks.mosquitto import free_port, listening, mosquitto

PROJECT = Path(__file__).parents[3]


def test_results_states_and_events_are_published_and_the_end_leaves_no_state(
    tmp_path: Path,
) -> None:
    before = threading.active_count()
    with mosquitto(tmp_path) as broker, listening(broker.port) as listener:
        sink = Mqtt(Broker("127.0.0.1", broker.port, "car"))
        seen = live(camera="rtsp://front/main")
        for result in [seen, seen, silent(camera="rtsp://front/main")]:
            sink.write(result)
        sink.tell(alert())
        sink.close()
        until(lambda: listener.of("car/status") == ["online", "offline"])
        until(lambda: listener.of("car/event"))
        camera = "car/rtsp:__front_main"
        payload = result_json(seen).decode()
        assert listener.of(f"{camera}/result")[:2] == [payload, payload]
        assert json.loads(listener.of(f"{camera}/result")[2])["state"] == "LOST"
        assert listener.of(f"{camera}/state") == ["LIVE", "LOST", ""]
        assert listener.of("car/event") == [event_json(alert()).decode()]
        with listening(broker.port) as latecomer:
            until(lambda: latecomer.heard)
            assert latecomer.heard == [("car/status", "offline", True)]
    assert threading.active_count() == before


def test_a_broker_that_is_killed_and_comes_back_hears_the_events_and_what_is_true_now(
    tmp_path: Path,
) -> None:
    with mosquitto(tmp_path) as broker, Behind(Mqtt(Broker("127.0.0.1", broker.port))) as sink:
        sink.write(live())
        until(lambda: sink.counters.written == 1)
        broker.kill()
        until(lambda: not sink._sink._client.is_connected())  # type: ignore[attr-defined]
        began = time.perf_counter()
        for index in range(50):
            sink.write(live(index))
        sink.write(silent(CameraState.STALE))
        sink.tell(alert(7))
        assert time.perf_counter() - began < 0.5
        until(lambda: sink.counters.lost == 51)
        broker.start()
        with listening(broker.port) as listener:
            until(lambda: listener.of("stopline/front/state") == ["STALE"])
            until(lambda: [json.loads(told)["id"] for told in listener.of("stopline/event")])
            assert listener.of("stopline/status")[-1] == "online"
            sink.write(live(51))
            until(lambda: listener.of("stopline/front/result"))
            [told] = listener.of("stopline/front/result")
            assert (json.loads(told)["index"], json.loads(told)["dropped"]) == (51, 50)
            assert listener.of("stopline/front/state")[-1] == "LIVE"


WRITE_AND_DIE = """
import os, signal, sys
from stopline.runtime.sinks.broker import Broker
from stopline.runtime.sinks.mqtt import Mqtt
from tests.runtime.sinks.giving import live
Mqtt(Broker("127.0.0.1", int(sys.argv[1]))).write(live())
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_who_is_killed_is_told_to_be_offline_by_the_last_will(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as broker, listening(broker.port) as listener:
        killed = [sys.executable, "-c", WRITE_AND_DIE, str(broker.port)]
        assert subprocess.run(killed, cwd=PROJECT, timeout=60).returncode == -signal.SIGKILL
        # "online" is on its way when it dies: it may or may not arrive.
        until(lambda: listener.of("stopline/status")[-1:] == ["offline"])


CERTIFICATE = (
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
    "-keyout key.pem -out ca.pem -subj /CN=test -addext subjectAltName=IP:127.0.0.1"
)


# paho leaves the socket of a handshake that failed to the garbage collector.
@pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")
def test_an_encrypted_broker_is_believed_only_with_a_certificate_we_trust(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    subprocess.run(CERTIFICATE.split(), cwd=tmp_path, check=True, capture_output=True)
    settings = (
        f"allow_anonymous true\ncertfile {tmp_path}/ca.pem\nkeyfile {tmp_path}/key.pem\n"
        f"cafile {tmp_path}/ca.pem"
    )
    with mosquitto(tmp_path, settings) as broker:
        url = f"mqtts://127.0.0.1:{broker.port}"
        trusting = Mqtt(parse_broker(f"{url}?ca={tmp_path}/ca.pem"))
        trusting.write(live())
        trusting.close()
        careful = Mqtt(parse_broker(url))
        with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
            careful.write(live())
        careful.close()


def test_a_broker_that_is_not_there_is_no_error_of_the_run_and_its_losses_are_told() -> None:
    told: list[str | None] = []
    port = free_port()
    sink = Behind(
        Mqtt(Broker("127.0.0.1", port)), on_trouble=lambda event: told.append(event.error)
    )
    for index in range(20):
        sink.write(live(index))
    until(lambda: sink.counters.lost == 20)
    assert told == [f"MQTT broker 127.0.0.1:{port} is not there: [Errno 111] Connection refused"]
    sink.close()


@pytest.mark.timeout(60)
def test_a_black_hole_that_accepts_and_never_answers_holds_nobody_and_nothing() -> None:
    before = threading.active_count()
    with socket.create_server(("127.0.0.1", 0)) as hole:
        sink = Behind(Mqtt(Broker("127.0.0.1", hole.getsockname()[1])), 10)
        began = time.perf_counter()
        for index in range(2000):
            sink.write(live(index))
        assert time.perf_counter() - began < 1
        assert sink.counters.dropped_by_queue >= 1980
        until(lambda: sink.counters.lost == 11, within_s=10)
        began = time.perf_counter()
        sink.close()
        assert time.perf_counter() - began < 3
    until(lambda: threading.active_count() == before)


@pytest.mark.timeout(60)
def test_a_broker_that_freezes_keeps_a_bounded_queue(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as broker:
        assert broker.process is not None
        sink = Mqtt(Broker("127.0.0.1", broker.port))
        sink.write(live())
        broker.process.send_signal(signal.SIGSTOP)
        try:
            sent = 0
            with pytest.raises(OSError, match=f"takes nothing: {MOST_UNSENT} results wait"):
                while sent < 100_000:
                    sink.write(crowd(200))  # so large that the sockets' buffers are soon full
                    sent += 1
            assert len(sink._client._out_packet) <= MOST_UNSENT + 2
        finally:
            broker.process.send_signal(signal.SIGCONT)
            sink.close()


def test_a_wrong_password_is_told_and_never_shown(tmp_path: Path) -> None:
    with mosquitto(tmp_path, "allow_anonymous false") as broker:
        url = f"mqtt://me:s3cret@127.0.0.1:{broker.port}"
        sink = Mqtt(parse_broker(url))
        with pytest.raises(OSError, match="is not there: Not authorized") as caught:
            sink.write(live())
        assert "s3cret" not in str(caught.value) + repr(parse_broker(url))
        sink.close()


def test_one_url_says_all_of_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert parse_broker("mqtt://host") == Broker("host", 1883, "stopline")
    assert parse_broker("mqtts://a:b%40c@host/x/y?ca=/ca.pem") == Broker(
        "host", 8883, "x/y", "a", "b@c", encrypted=True, authorities=Path("/ca.pem")
    )
    monkeypatch.setenv(PASSWORD_VARIABLE, "from outside")
    assert parse_broker("mqtt://a@[::1]:99").password == "from outside"
    with pytest.raises(FileNotFoundError, match=r"nowhere\.pem"):
        Mqtt(parse_broker(f"mqtts://host?ca={tmp_path}/nowhere.pem"))


@pytest.mark.parametrize(
    "url", ["host", "http://host", "mqtt://", "mqtt://h:x", "mqtt://h?ca=x", "mqtts://h?cb=x", ""]
)
def test_a_url_of_no_broker_is_refused_with_what_was_wanted(url: str) -> None:
    with pytest.raises(ValueError, match="wanted mqtt://HOST"):
        parse_broker(url)
    with pytest.raises(ValueError, match="s://me:…@") as caught:
        parse_broker("https://me:s3cret@host")
    assert "s3cret" not in str(caught.value)
    with pytest.raises(ValueError, match="for subscribers"):
        parse_broker("mqtt://host/a/+/b")


def test_a_camera_is_one_level_of_a_topic_and_no_two_cameras_are_the_same() -> None:
    topics = Topics()
    names = ["a/b", "a_b", "a#b", "+", "", "0", "x" * 300, "#", "tab\there"]
    levels = [topics[name] for name in names]
    assert levels[:4] == ["a_b", "a_b-2", "a_b-3", "_"]
    assert len(set(levels)) == len(names)
    assert all(level and not set(level) & set("/+#\t") and len(level) <= 200 for level in levels)
    assert [topics[name] for name in names] == levels
