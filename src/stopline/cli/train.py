"""`stopline train`: from a recipe to runs/<name>/."""

import json
import shlex
import sys
from pathlib import Path
from typing import NamedTuple

import click
from rich.console import Console

from stopline.cli.training_bars import bars_on
from stopline.devices.whole_file import refuse_unwritable, write_whole
from stopline.train.recipe import find_recipe, read_recipe
from stopline.train.session import Outcome, Request, run_training
from stopline.train.validation import through_the_runtime

STDOUT = Path("-")
INTERRUPTED = 130  # what a shell expects of a command that Ctrl-C ended


class _Wanted(NamedTuple):
    """The options of the command."""

    data: Path | None
    out: Path
    name: str | None
    resume: bool
    json: Path | None


@click.command(name="train")
@click.argument("recipe")
@click.option("--data", type=click.Path(path_type=Path), help="What its paths are relative to.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs"), show_default=True)
@click.option("--name", help="Of the run [the recipe's].")
@click.option("--resume", is_flag=True, help="Go on with a run that was stopped.")
@click.option("--json", type=click.Path(path_type=Path), help="Write the outcome; - is stdout.")
def command(recipe: str, **options: object) -> None:
    """Train or fine-tune a detector as RECIPE, a TOML file or the name of a shipped one, says.

    Leaves OUT/NAME with best.pt, last.pt, recipe.toml, metrics.csv and curves.png. Ctrl-C stops
    after the step, and --resume goes on as if nothing had happened. With several GPUs or machines:
    torchrun --nproc-per-node 4 -m stopline train RECIPE
    """
    wanted = _Wanted(**options)  # type: ignore[arg-type]  # click has checked every type
    if wanted.json is not None and wanted.json != STDOUT:
        refuse_unwritable(wanted.json)
    path = find_recipe(recipe)
    typed = shlex.join(["stopline", *sys.argv[1:]])
    request = Request(path, wanted.out, wanted.name, wanted.data, wanted.resume, typed)
    console = Console(stderr=True)
    with bars_on(console, read_recipe(path).optimise.steps) as bars:
        outcome = run_training(request, through_the_runtime, bars.task, bars.report)
    if outcome.first_process:
        _conclude(outcome, typed, console)
        if wanted.json is not None:
            _write(json.dumps(outcome.as_json()), wanted.json)
    if not outcome.finished:
        raise click.exceptions.Exit(INTERRUPTED)


def _conclude(outcome: Outcome, typed: str, console: Console) -> None:
    if not outcome.finished:
        again = typed if "--resume" in typed else f"{typed} --resume"
        console.print(f"stopped after step {outcome.step}; `{again}` goes on", highlight=False)
        return
    best = outcome.folder / "best.pt"
    console.print(f"AP {outcome.AP:.3f}: `stopline export {best} -o BUNDLE`", highlight=False)
    if not outcome.shippable:
        console.print(
            "not shippable: a source has a non-commercial licence, or none", highlight=False
        )


def _write(text: str, where: Path) -> None:
    if where == STDOUT:
        click.echo(text)
    else:
        write_whole(f"{text}\n".encode(), where)
