"""Hybrid Engine: workflows, their engine and their front doors."""
