"""A small service to call from the bundled templates without the internet; in local mode only."""
