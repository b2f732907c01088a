"""Runs a definition step by step in this thread, by the rules of the graph and with the real actions, without the engine."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

from tests.actions.contexts import Log, a_context
from workflows_app import actions
from workflows_app.actions import outbound
from workflows_app.actions.base import Chosen, Element, Fail, Launch, Noted, Spread, Wait
from workflows_app.catalog import bundled
from workflows_app.catalog.validate import validate
from workflows_app.graph.conditions import holds
from workflows_app.graph.definition import Definition, Node
from workflows_app.graph.expressions import render
from workflows_app.graph.readiness import Dependencies, Readiness, decide


class Walk:
    """`ends` says how each step ended, `outputs` what it gave, `logs` what it said, `waited` how long it would have waited."""

    def __init__(self, definition: Definition, *, params: dict[str, Any], url: str) -> None:
        self.definition = definition
        self.params = params
        self.url = url
        self.ends: dict[str, str] = {}
        self.outputs: dict[str, Any] = {}
        self.logs: dict[str, str] = {}
        self.ruled_out: set[tuple[str, str]] = set()
        self.waited = 0.0

    def run(self) -> Walk:
        asyncio.run(self.walk())
        return self

    async def walk(self) -> None:
        left = list(self.definition.nodes)
        while left:
            node = next(node for node in left if all(need in self.ends for need in node.needs))
            left.remove(node)
            self.ends[node.id] = await self.step(node)
        await outbound.close()

    async def step(self, node: Node) -> str:
        ends = ["skipped" if (need, node.id) in self.ruled_out else self.ends[need] for need in node.needs]
        counted = Dependencies(
            0, succeeded=ends.count("completed") + ends.count("forgiven"), failed=ends.count("failed"), skipped=ends.count("skipped")
        )
        readiness = decide(node.trigger_rule, counted)
        names = self.names(node)
        if readiness is not Readiness.RUN or (node.run_if is not None and not holds(node.run_if, names)):
            return "failed" if readiness is Readiness.BLOCK else "skipped"
        try:
            self.outputs[node.id] = self.settle(node, await self.act(node, names))
        except Fail as error:
            self.logs[node.id] = str(error)
            return "forgiven" if node.on_failure == "continue" else "failed"
        return "completed"

    async def act(self, node: Node, names: dict[str, Any], **known: Any) -> Any:
        action, log = actions.find(node.action), Log()
        raw = {key: node.config[key] for key in action.raw if key in node.config}
        config = action.config.model_validate({**render({key: node.config[key] for key in node.config if key not in raw}, names), **raw})
        outputs = {id: self.outputs.get(id) for id in node.references}
        context = a_context(step_id=node.id, params=self.params, outputs=outputs, names=names, sink=log, timeout_seconds=20, **known)
        value = action.run(config, context)
        value = await value if inspect.isawaitable(value) else value
        self.logs[node.id] = self.logs.get(node.id, "") + log.text
        if isinstance(value, Wait):
            self.waited += value.seconds or 0
            return await self.act(node, names, resume=value.state)
        if isinstance(value, Spread):
            elements = [await self.element(node.body, names | {"item": item, "index": at}) for at, item in enumerate(value.elements)]
            return await self.act(node, names, resume={}, elements=elements)
        if isinstance(value, Launch):
            return await self.act(node, names, resume={}, answer=await self.child(value))
        return value.output if isinstance(value, Noted) else value

    async def element(self, body: Node, names: dict[str, Any]) -> Element:
        if body.run_if is not None and not holds(body.run_if, names):
            return Element("STOPPED", None, "")
        try:
            return Element("COMPLETED", await self.act(body, names), "")
        except Fail as error:
            return Element("FAILED", None, str(error))

    async def child(self, launch: Launch) -> dict[str, Any]:
        """The bundled template of that name, from its beginning to its end."""
        definition = validate((bundled.DIRECTORY / f"{launch.template}.yaml").read_text()).definition
        walk = Walk(definition, params=dict(launch.params), url=self.url)
        await walk.walk()
        status = "FAILED" if "failed" in walk.ends.values() else "COMPLETED"
        return {"workflowId": "child", "status": status, "output": walk.outputs[definition.nodes[-1].id], "error": ""}

    def settle(self, node: Node, value: Any) -> Any:
        if not isinstance(value, Chosen):
            return value
        self.ruled_out |= {(node.id, target) for target in value.targets if target not in value.next}
        return value.output

    def names(self, node: Node) -> dict[str, Any]:
        """Only what the definition says the step reads: a reference that was missed shows here."""
        words = {"completed": "COMPLETED", "skipped": "STOPPED"}
        steps = {id: {"output": self.outputs.get(id), "status": words.get(self.ends[id], "FAILED"), "error": ""} for id in node.references}
        engine = {"engine": {"url": self.url}, "workflow": {"id": "w", "name": "W"}}
        return {**steps, **engine, "steps": steps, "params": self.params, "input": self.params, "payload": self.params}
