"""Where it runs, and the command line."""
