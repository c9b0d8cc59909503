"""Options that limit what a query may take: `--timeout`, `--memory` and `--answer-size`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from runners.arguments.value_types import SECONDS
from runners.errors import UserError

if TYPE_CHECKING:
    from sinks.questions.query_limits import QueryLimits

_MB = 2**20


Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def limit_options(default_memory: int) -> Decorator:
    """Return a decorator that adds the options to a command, which gets `timeout`, `memory` and `answer_size`."""
    timeout = click.option(
        "--timeout", type=SECONDS, default=30.0, show_default=True, metavar="S", help="Seconds that a query may take."
    )
    memory = click.option(
        "--memory",
        type=click.IntRange(16, 2**20),
        default=default_memory,
        show_default=True,
        metavar="MB",
        help="Memory that a query may take.",
    )
    answer_size = click.option(
        "--answer-size",
        type=click.IntRange(1, 2**20),
        default=64,
        show_default=True,
        metavar="MB",
        help="Size that an answer may have.",
    )
    return lambda command: timeout(memory(answer_size(command)))


def query_limits(timeout: float, memory: int, answer_size: int) -> QueryLimits:
    """Return the limits that the options state."""
    from sinks.questions.query_limits import QueryLimits

    return QueryLimits(seconds=timeout, memory=memory * _MB, answer=answer_size * _MB)


@contextmanager
def naming_limits() -> Iterator[None]:
    """Add the option that raises a limit to the error of a query that went beyond it."""
    from sinks.questions.query_limits import AnswerTooLarge, QueryCrash, QueryTimeout

    try:
        yield
    except QueryTimeout as error:
        raise UserError(f"{error} (--timeout)") from error
    except AnswerTooLarge as error:
        raise UserError(f"{error} (--answer-size)") from error
    except QueryCrash as error:
        raise UserError(f"{error} (--memory)" if "memory" in str(error) else str(error)) from error
