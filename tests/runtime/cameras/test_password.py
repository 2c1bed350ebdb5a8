"""What may be shown of a source."""

import pytest

from stopline.runtime.cameras.camera import open_camera
from stopline.runtime.cameras.password import without_passwords
from tests.runtime.cameras.rtsp import Reader, free_port

FAILS = """
import logging, sys
from stopline.runtime.cameras.camera import find_source
logging.basicConfig(level=0)
source = find_source(sys.argv[1])
print(source.name)
try:
    source.open()
except (OSError, ValueError) as error:
    print(error)
"""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "rtsp://front:554/a?b=c",
        "rtsp://me@front:554/a?b=c",
        "rtsp://front/a:b@c",
        "rtsp://front:554/a@b",
        "http://front/video?user=me&compass=north",
        "gst:videotestsrc pattern=white ! videoconvert",
    ],
)
def test_what_holds_no_password_stays_as_it_is(text: str) -> None:
    assert without_passwords(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("rtsp://me:secret@front/a", "rtsp://me:…@front/a"),
        ("rtsp://me:se:cr@et@front/a", "rtsp://me:…@front/a"),
        ("rtsp://me:secret@front/a@b", "rtsp://me:…@front/a@b"),
        ("rtsp://me:se/cr/et@front/a", "rtsp://me:…@front/a"),
        ("rtsp://:secret@front", "rtsp://:…@front"),
        ("two rtsp://a:secret@b and http://c:secret@d", "two rtsp://a:…@b and http://c:…@d"),
        ("http://front/?user=me&pwd=secret&size=2", "http://front/?user=me&pwd=…&size=2"),
        (
            "rtsp://front/user=me&password=secret&channel=1",
            "rtsp://front/user=me&password=…&channel=1",
        ),
        ('gst:rtspsrc user-id=me user-pw="sec ret" ! x', "gst:rtspsrc user-id=me user-pw=… ! x"),
        ("srt://front:9000?passphrase=secret", "srt://front:9000?passphrase=…"),
    ],
)
def test_a_password_is_not_shown(text: str, shown: str) -> None:
    assert without_passwords(text) == shown


def test_a_password_is_in_nothing_that_a_failure_says(reader: Reader) -> None:
    said = reader.run(FAILS, f"rtsp://me:secret@127.0.0.1:{free_port()}/road?pwd=secret")
    assert said.returncode == 0, said.stderr
    assert said.stdout.startswith("rtsp://me:…@127.0.0.1:")
    assert "is it on?" in said.stdout
    assert "secret" not in said.stdout + said.stderr


def test_the_same_of_a_stream_over_http() -> None:

    with pytest.raises(OSError, match="no video at") as failed:
        open_camera(f"http://me:secret@127.0.0.1:{free_port()}/video")
    assert "secret" not in str(failed.value)
