"""Real on purpose: Beam ships the project to its workers with `--setup_file setup.py`."""

from setuptools import setup

setup()
