"""Where it runs, and the command line."""

import os

# Before torch starts its threads: let them sleep while they wait. Spinning ones slow down everything beside them, other
# workers of the same build first of all.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
