"""How a graph is drawn: what becomes one box, where boxes stand, how lines run. Steps are positions here, never text."""
