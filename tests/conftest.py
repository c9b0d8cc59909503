"""Settings of every test: one thread per process, and no clock in property tests."""

import os

# Before torch is imported anywhere: threads that spin for work make a busy machine many times slower.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from hypothesis import settings

settings.register_profile("factmill", deadline=None)
settings.load_profile("factmill")
