"""Resolution: which nodes without a knowledge-base id are one with another node of the corpus."""
