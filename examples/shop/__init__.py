"""A shop that restocks itself: custom tasks and a template that uses them."""
