"""Front-door languages, each compiled to one Definition."""
