"""Documents in, entities and facts out: encoder, heads, training, evaluation, checkpoints."""
