"""Short template texts for tests."""

HELLO = """\
name: Hello
description: Greets
tags: [greeting]
params:
  properties:
    name: {type: string, minLength: 1}
    times: {type: integer, default: 1, minimum: 1}
  required: [name]
steps:
  - {id: greet, action: transform, with: {value: "Hello {{ params.name }}"}}
"""

PLAIN = "name: Plain\nsteps:\n  - {id: only, action: input}\n"
BROKEN = "name: Broken\nsteps:\n  - {id: only, action: inptu}\n"
