"""The few hand-written statements, of constant text."""
