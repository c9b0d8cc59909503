"""Servers for tests: where one cannot be had the test is skipped, but not in CI."""

import os
from contextlib import contextmanager

import pytest

from runners.execution.server_process import ServerUnavailable


@contextmanager
def required(variable):
    """Skip the test when what is started in this block cannot be had; fail where the environment has the variable."""
    try:
        yield
    except ServerUnavailable as error:
        if os.environ.get(variable):
            raise
        pytest.skip(str(error))
