"""The Django admin: templates editable, workflows and steps read-only."""
