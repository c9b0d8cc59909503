"""The base classes of all commands: `--debug`, errors without stack traces, options for Apache Beam."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click

from runners.errors import UserError, did_you_mean, explain

_BEAM = "runners.arguments.command.beam"
_INTERRUPTED = "runners.arguments.command.interrupted"


class Command(click.Command):
    """A click command that turns exceptions into error messages, unless `--debug` is set."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        debug = click.Option(["--debug"], is_flag=True, expose_value=False, help="Show stack traces.", callback=_keep)
        self.params.append(debug)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, and turn any exception into an error message."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except BrokenPipeError:
            raise  # the reader of the output closed it; click exits quietly
        except Exception as error:
            if ctx.meta.get("runners.arguments.command.debug"):
                raise
            raise explain(error) from error


class CommandWithBeamOptions(Command):
    """A command that passes options to Beam: all after `--`, and before it any `--name=value` that is not its own."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Remove the options for Beam before click parses the others."""
        cut = args.index("--") if "--" in args else len(args)
        opts = [name for each in self.get_params(ctx) for name in (*each.opts, *each.secondary_opts)]
        known = [name.removeprefix("--") for name in opts if name.startswith("--")]
        own: list[str] = []
        beam: list[str] = []
        for arg in args[:cut]:
            name, assigned, _ = arg.removeprefix("--").partition("=")
            if not arg.startswith("--") or name in known:
                own.append(arg)
                continue
            hint = did_you_mean(name, known, prefix="--", cutoff=0.75)
            if hint:
                raise UserError(f"no option '--{name}'{hint} Options of Beam go after '--'.")
            if not assigned:
                raise UserError(f"no option '--{name}'. Options of Beam go after '--', or as --{name}=VALUE.")
            beam.append(arg)
        ctx.meta[_BEAM] = (*beam, *args[cut + 1 :])
        return super().parse_args(ctx, own)


def beam_options(ctx: click.Context) -> Sequence[str]:
    """Return the options that the running command passes to Beam, in their order."""
    options: tuple[str, ...] = ctx.meta.get(_BEAM, ())
    return options


def when_interrupted(ctx: click.Context, message: Callable[[], str]) -> None:
    """Let `message` return what the user reads if a signal stops the running command."""
    ctx.meta[_INTERRUPTED] = message


def interruption_message(ctx: click.Context) -> str:
    """Return what the user reads when a signal has stopped the running command."""
    message: Callable[[], str] | None = ctx.meta.get(_INTERRUPTED)
    return message() if message else "Stopped."


def _keep(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    ctx.meta["runners.arguments.command.debug"] = value
