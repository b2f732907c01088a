"""Workflows as files, one directory each: written by `exporting`, read back by `importing` (CONTRACT.md section 9)."""
