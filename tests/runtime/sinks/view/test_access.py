"""Who may look at a real view, and who may change its zones."""

import json
import logging
from pathlib import Path

import pytest

from stopline.runtime.alerts.book import RulesBook
from stopline.runtime.alerts.rules import no_rules
from stopline.runtime.alerts.watch import Watch
from stopline.runtime.sinks.address import Address
from stopline.runtime.sinks.view.settings import ViewSettings
from stopline.runtime.sinks.view.view import View
from tests.runtime.sinks.view.shown import NAMES, ask, port_of

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")
HERE = Address("127.0.0.1", 0)
CLIP = "20261124T120000000Z-person-in-a-0a1b2c"
ZONE = b"""{"name": "A", "zone": {"points": [[0, 0], [1, 0], [1, 1]]},
            "rule": {"name": "person in A", "class": "person", "zone": "A"}}"""


def own_origin(view: View) -> dict[str, str]:
    return {"Origin": f"http://127.0.0.1:{port_of(view)}"}


def test_a_page_from_elsewhere_may_not_ask_or_change(view: View) -> None:
    assert ask(view, "/", headers={"Host": "evil.example"}).status == 403
    assert ask(view, "/zones", "POST", {"Origin": "http://evil.example"}, ZONE).status == 403
    assert ask(view, "/zones", "POST", {}, ZONE).status == 403
    assert ask(view, "/zones/A", "DELETE", {"Origin": "http://evil.example"}).status == 403


def test_every_answer_forbids_what_comes_from_elsewhere(view: View) -> None:
    for path in ("/", "/page/page.js", "/news", "/rules", "/nowhere"):
        headers = ask(view, path).headers
        assert headers["content-security-policy"].startswith("default-src 'self';")
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
    refused = ask(view, "/", headers={"Host": "evil.example"})
    assert refused.headers["content-security-policy"].startswith("default-src 'self';")


def test_no_path_leads_out_of_its_folder(tmp_path: Path) -> None:
    clips = tmp_path / "clips"
    clips.mkdir()
    (tmp_path / f"{CLIP}.webm").write_bytes(b"secret")
    (clips / f"{CLIP}.webm").symlink_to(tmp_path / f"{CLIP}.webm")
    paths = [
        "/page/../view.py",
        "/page/..%2fview.py",
        "/page/%2e%2e/view.py",
        "/page//etc/passwd",
        "/page/%2fetc%2fpasswd",
        f"/clips/..%2f{CLIP}",
        f"/clips/../{CLIP}",
        f"/clips/%2e%2e%2f{CLIP}",
        f"/clips/{CLIP}",
    ]
    with View(HERE, ViewSettings(clips=clips)) as view:
        assert {path: ask(view, path).status for path in paths} == dict.fromkeys(paths, 404)


def test_a_clip_is_served_in_parts_to_those_who_may_look(tmp_path: Path) -> None:
    (tmp_path / f"{CLIP}.webm").write_bytes(b"0123456789")
    with View(HERE, ViewSettings(clips=tmp_path)) as view:
        whole = ask(view, f"/clips/{CLIP}")
        assert (whole.status, whole.body) == (200, b"0123456789")
        assert whole.headers["content-type"] == "video/webm"
        part = ask(view, f"/clips/{CLIP}", headers={"Range": "bytes=2-4"})
        assert (part.status, part.body) == (206, b"234")


def test_a_page_that_others_can_reach_wants_its_token(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with View(Address("0.0.0.0", 0)) as view:
        token = view.url.partition("?token=")[2]
        assert len(token) >= 32
        for path in ("/", "/news", "/rules", "/mjpeg/0", "/page/page.js", "/clips/a"):
            assert ask(view, path).status == 401
            assert ask(view, f"{path}?token=wrong").status == 401
        welcome = ask(view, f"/?token={token}")
        assert (welcome.status, welcome.headers["location"]) == (303, "/")
        cookie = welcome.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        kept = {"Cookie": cookie.partition(";")[0]}
        assert ask(view, "/", headers=kept).status == 200
        assert ask(view, "/zones", "POST", kept, ZONE).status == 403  # by no page of ours
        assert ask(view, "/news", headers={"Authorization": f"Bearer {token}"}).status == 200
    assert token not in caplog.text
    with View(Address("0.0.0.0", 0)) as other:
        assert token not in other.url


def test_on_loopback_there_is_no_token(view: View) -> None:
    assert view.url == f"http://127.0.0.1:{port_of(view)}/"
    assert ask(view, "/").status == 200


def test_a_zone_that_is_sent_is_in_force_and_in_the_file(tmp_path: Path) -> None:
    path, watch = tmp_path / "rules.json", Watch(no_rules())
    with View(HERE, book=RulesBook(watch, NAMES, path)) as view:
        before, _ = ask(view, "/news").news
        done = ask(view, "/zones", "POST", own_origin(view), ZONE)
        assert done.status == 200, done.body
        assert list(watch.rules.zones) == list(json.loads(path.read_bytes())["zones"]) == ["A"]
        after, _ = ask(view, "/news").news
        assert after["rules"] != before["rules"]
        again = ask(view, "/zones", "POST", own_origin(view), ZONE)
        assert (again.status, b"already" in again.body) == (422, True)
        unknown = ZONE.replace(b"person", b"horse").replace(b'"A"', b'"B"')
        wrong = ask(view, "/zones", "POST", own_origin(view), unknown)
        assert (wrong.status, b"horse" in wrong.body) == (422, True)
        assert ask(view, "/zones", "POST", own_origin(view), b"x" * 70_000).status == 413
        assert ask(view, "/zones/B", "DELETE", own_origin(view)).status == 404
        assert ask(view, "/zones/A", "DELETE", own_origin(view)).status == 200
        assert watch.rules == no_rules()


def test_a_zone_that_cannot_be_written_is_not_in_force(tmp_path: Path) -> None:
    watch = Watch(no_rules())
    with View(HERE, book=RulesBook(watch, NAMES, tmp_path / "gone" / "rules.json")) as view:
        done = ask(view, "/zones", "POST", own_origin(view), ZONE)
        assert (done.status, b"could not be written" in done.body) == (500, True)
        assert watch.rules == no_rules()


def test_where_nobody_watches_there_are_no_zones(view: View) -> None:
    assert ask(view, "/zones", "POST", own_origin(view), ZONE).status == 409
    assert json.loads(ask(view, "/rules").body)["rules"] is None
