"""The shape of a workflow, in pure Python."""
