"""Where it runs, and the command line."""

import os

# Before torch starts its threads: let them sleep while they wait. Spinning ones slow down everything beside them, other
# workers of the same build first of all.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# But not at once: two threads of one product wait for each other for microseconds, and waking one takes longer.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")
