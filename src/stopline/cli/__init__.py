"""The command line: one module for each command, imported only when it is typed."""

import importlib
import os
import signal
import sys

import click

COMMANDS = {
    "run": "detect on cameras, files or a simulated road",
    "train": "train or fine-tune a detector from a recipe",
    "export": "make a bundle from a checkpoint or an ONNX file",
    "build": "TensorRT engines for this board",
    "verify": "check that a bundle answers here as it did where it was exported",
    "eval": "measure COCO AP through the runtime",
    "profile": "latency, throughput and energy, with their conditions",
    "doctor": "what this board is, what is missing, and what to type",
    "plan": "predict what a bundle takes on a board that is not here",
}


class _Lazy(click.Group):
    """A board has no torch: `stopline run` must not import what `stopline train` needs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"stopline.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="stopline")
def group() -> None:
    """From a PyTorch detector to a camera on a GPU board.

    \b
    stopline run --source sim://road             the built-in detector on a simulated street
    stopline run --source drive.mp4 --record out.mp4 --json out.jsonl
    stopline train RECIPE.toml                   then: stopline export runs/NAME/best.pt -o BUNDLE
    """


def main() -> None:
    """Run a command. An error that its user can mend is one line on stderr and exit code 1."""
    try:
        sys.exit(group.main(standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(_interrupted())
    except KeyboardInterrupt:
        sys.exit(_interrupted())
    except BrokenPipeError:
        # The reader of our output has gone; keep Python from complaining at exit as well.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except (ValueError, OSError, ImportError) as error:
        click.echo(f"stopline: {_one_line(error)}", err=True)
        sys.exit(1)


def _interrupted() -> int:
    click.echo("stopline: interrupted", err=True)
    return 128 + signal.SIGINT


def _one_line(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return " ".join(str(error).split()) or type(error).__name__
