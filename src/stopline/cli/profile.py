"""`stopline profile`: latency, throughput and energy of a bundle, with their conditions."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from stopline.cli.profile_options import ProfileOptions, profile_options

if TYPE_CHECKING:
    from stopline.devices.latency.profiling import Told
    from stopline.devices.latency.report import Report

# The runtime is imported inside functions: `--help`, and a wrong option, must not wait for OpenCV.


@click.command(name="profile")
@profile_options
def command(**typed: Any) -> int:
    """Measure BUNDLE (default: the built-in road-nano) on this machine.

    Three numbers that are not the same: `engine` is the model alone; `pipeline` how fast frames
    come out if every one waits ready; `capture_to_result` how old an answer is when it is there,
    with a camera that does not wait for us.

    Exits 1 where a budget is broken, or where --compare or --against finds B slower.
    """
    options = ProfileOptions(**typed)
    options.check()
    from stopline.devices.whole_file import refuse_unwritable

    for path in options.outputs:
        refuse_unwritable(path)
    if options.compare is not None:
        return _compare(options, *options.compare)
    if options.against is not None:
        return _against(options)
    report = _read(options.report) if options.report is not None else _measured(options)
    return _told(report, options)


def _measured(options: ProfileOptions) -> "Report":
    from stopline.cli.profile_setup import detector_of, settings_of, sources_of
    from stopline.devices.latency.profiling import profile

    with _progress() as told:
        reopen, sources = partial(detector_of, options), sources_of(options)
        return profile(reopen, options.threads, sources, settings_of(options), told)


def _told(report: "Report", options: ProfileOptions) -> int:
    from stopline.cli.profile_table import print_held, print_report
    from stopline.cli.report import given
    from stopline.devices.latency.budget import held, read_budget
    from stopline.devices.latency.page.page import html_page
    from stopline.devices.latency.rows import csv_of
    from stopline.devices.whole_file import write_whole

    budget = None if options.budget is None else read_budget(options.budget)
    console = given(report, options.json)
    if options.csv is not None:
        write_whole(csv_of(report).encode(), options.csv)
    if options.html is not None:
        write_whole(html_page(report).encode(), options.html)
    print_report(report, console)
    if budget is None:
        return 0
    limits = held(budget, report)
    print_held(limits, console)
    return 0 if all(one.holds for one in limits) else 1


def _compare(options: ProfileOptions, a_path: Path, b_path: Path) -> int:
    from stopline.cli.profile_table import print_comparison
    from stopline.cli.report import given
    from stopline.devices.latency.comparable import compared, differences

    a, b = _read(a_path), _read(b_path)
    apart = differences(a, b)
    if apart and not options.anyway:
        raise click.ClickException(
            f"{a_path} and {b_path} were measured in different conditions: {'; '.join(apart)}. "
            "Measure both in turn with --against, or compare them --anyway"
        )
    found = compared(a, b)
    console = given({"comparison": found, "different": apart}, options.json)
    print_comparison(found, (a.subject, b.subject), apart, console)
    return 1 if found.verdict == "slower" else 0


def _against(options: ProfileOptions) -> int:
    from stopline.cli.profile_setup import detector_of, other, sources_of
    from stopline.cli.profile_table import print_against
    from stopline.cli.report import given
    from stopline.devices.latency.interleaved import measure_against
    from stopline.devices.latency.parts import subject_of

    assert options.against is not None
    second = other(options, options.against)
    kept = sources_of(options).kept
    opens = partial(detector_of, options), partial(detector_of, second)
    with opens[0]() as a, opens[1]() as b, _progress() as told:
        subjects = subject_of(a, options.threads, kept), subject_of(b, second.threads, kept)
        told("in turn")
        found = measure_against(opens, subjects, kept, options.seconds)
    console = given(found, options.json)
    print_against(found, console)
    return 1 if found.comparison.verdict == "slower" else 0


def _read(path: Path) -> "Report":
    from stopline.devices.latency.report import read_report

    return read_report(path.read_bytes(), str(path))


@contextmanager
def _progress() -> "Iterator[Told]":
    """A line on a terminal that says what is measured now."""
    from rich.console import Console

    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield lambda part: None
        return
    with console.status("") as status:
        yield lambda part: status.update(f"measuring: {part}")
