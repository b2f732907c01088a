"""Makes a worker group look for work by itself once a minute only: what it begins sooner, it was told of. Loaded by TASK_MODULES."""

from workflows_app.engine import broker, loop

broker.LOOK_SECONDS = 60.0
loop.LINGER_SECONDS = 0.0
