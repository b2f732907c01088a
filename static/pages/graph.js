// The graph of a workflow: pan, zoom, and its state as it changes.
