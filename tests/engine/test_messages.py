"""The queue between django-q2's processes: whole messages, and no lock to die with."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from multiprocessing import get_context
from typing import Any

import django_q.cluster
import pytest

from workflows_app.engine import lifecycle, messages
from workflows_app.engine.messages import MAX_MESSAGE_BYTES, MessageQueue, UnlockedValue

FORK = get_context("fork")


def until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def is_asleep(pid: int) -> bool:
    """A reader with nothing to read waits in the kernel."""
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[0] == "S"


def hand_on(source: MessageQueue, target: MessageQueue) -> None:
    for message in iter(source.get, "STOP"):
        target.put((os.getpid(), message))


def test_messages_come_whole_and_in_order() -> None:
    queue = MessageQueue()
    sent = [1, "two", {"three": [3]}, None, "x" * 100_000]
    for message in sent[:-1]:
        queue.put(message)
    assert [queue.get() for _ in sent[:-1]] == sent[:-1]
    queue.put(sent[-1])
    assert queue.get() == sent[-1]


def test_an_oversized_message_is_refused_and_the_queue_goes_on() -> None:
    queue = MessageQueue()
    with pytest.raises(ValueError, match="too large: 150000 are allowed"):
        queue.put("x" * MAX_MESSAGE_BYTES)
    queue.put("small")
    assert queue.get() == "small"


def test_a_waiting_message_is_seen() -> None:
    queue = MessageQueue()
    assert queue.empty() and queue.qsize() == 0
    queue.put(1)
    assert not queue.empty() and queue.qsize() == 1
    queue.get()
    assert queue.empty()
    queue.close()
    queue.join_thread()


def test_a_reader_killed_while_it_waits_freezes_nobody() -> None:
    """With a `multiprocessing.Queue` it dies with the read lock, and no other reader ever gets a message."""
    source, target = MessageQueue(), MessageQueue()
    readers = [FORK.Process(target=hand_on, args=(source, target)) for _ in range(3)]
    for reader in readers:
        reader.start()
    until(lambda: all(is_asleep(reader.pid) for reader in readers))
    for victim in readers[:2]:
        os.kill(victim.pid, signal.SIGKILL)
        victim.join()
    for number in range(20):
        source.put(number)
    found = [target.get() for _ in range(20)]
    assert [number for _, number in found] == list(range(20)) and {pid for pid, _ in found} == {readers[2].pid}
    source.put("STOP")
    readers[2].join(10)
    assert readers[2].exitcode == 0


def test_each_message_goes_to_one_reader() -> None:
    source, target = MessageQueue(), MessageQueue()
    readers = [FORK.Process(target=hand_on, args=(source, target)) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(200):
        source.put(number)
    assert sorted(number for _, number in (target.get() for _ in range(200))) == list(range(200))
    for _ in readers:
        source.put("STOP")
    for reader in readers:
        reader.join(10)


def test_a_value_is_shared_without_a_lock() -> None:
    value = UnlockedValue("f", -1)

    def work() -> None:
        with value.get_lock():
            value.value = 7.5

    child = FORK.Process(target=work)
    child.start()
    child.join(10)
    assert value.value == 7.5


def test_a_value_is_free_when_its_writer_was_killed() -> None:
    value = UnlockedValue("f", -1)

    def work() -> None:
        with value.get_lock():
            os.kill(os.getpid(), signal.SIGKILL)

    child = FORK.Process(target=work)
    child.start()
    child.join(10)
    with value.get_lock():
        assert value.value == -1


def test_the_self_test_leaves_no_queue_behind() -> None:
    before = list(MessageQueue.created)
    messages.self_test()
    assert MessageQueue.created == before


def test_a_release_of_django_q2_that_ignores_the_queue_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """What `harden` guards against: the name it replaces is not the one that the sentinel uses."""
    from workflows_app.engine import broker

    monkeypatch.setattr(broker.os, "register_at_fork", lambda **_: None)
    for name in ("Queue", "Value"):
        monkeypatch.setattr(django_q.cluster, name, getattr(django_q.cluster, name))
    monkeypatch.setattr(django_q.cluster.Sentinel, "__init__", _with_other_queues)
    with pytest.raises(RuntimeError, match="did not take the lock-free queue"):
        broker.harden()


def _with_other_queues(self: Any, *_: Any, **__: Any) -> None:
    self.task_queue = self.result_queue = object()


def test_the_group_shares_that_it_is_leaving() -> None:
    lifecycle.begin()
    assert not lifecycle.is_draining()
    child = FORK.Process(target=lifecycle.start_draining)
    child.start()
    child.join(10)
    assert lifecycle.is_draining()
    lifecycle.begin()
    assert not lifecycle.is_draining()


def test_who_is_attentive_is_seen_by_the_others_only() -> None:
    lifecycle.begin()
    lifecycle.set_attentive(True)
    assert not lifecycle.somebody_else_is_attentive()
    seen = MessageQueue()
    child = FORK.Process(target=lambda: seen.put(lifecycle.somebody_else_is_attentive()))
    child.start()
    assert seen.get() is True
    child.join(10)
    lifecycle.set_attentive(False)
    lifecycle.begin()
