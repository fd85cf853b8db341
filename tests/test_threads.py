"""Threads that work on partitions in memory: kept between passes, never waiting for one another, none after a fork."""

import multiprocessing
import os
import threading

import pytest

from dglm.data import MemoryBlocks, usable_cores
from dglm.data.threads import on_threads

pytestmark = pytest.mark.timeout(60)

several_cores = pytest.mark.skipif(usable_cores() == 1, reason="one core: no thread is started")


def on_this_thread(_):
    return threading.get_ident()


def total_of_squares(part):
    return MemoryBlocks(range(part)).sum(lambda i: i * i)


@several_cores
def test_threads_are_the_same_in_every_pass_and_no_more_than_the_cores():
    together = threading.Barrier(2, timeout=30)

    def thread(_):
        together.wait()
        return threading.get_ident()

    first = set(on_threads(thread, range(2)))
    assert len(first) == 2
    later = {each for _ in range(20) for each in on_threads(on_this_thread, range(64))}
    assert threading.get_ident() not in later
    assert len(first | later) <= usable_cores()


def test_a_pass_within_a_task_of_another_waits_for_no_thread():
    assert MemoryBlocks([20] * 64).sum(total_of_squares) == 64 * sum(i * i for i in range(20))
    cores = {value for value in on_threads(lambda _: usable_cores(), range(64))}
    assert cores == {1}


def test_what_has_not_begun_when_a_task_fails_is_not_begun():
    begun, go_on = [], threading.Event()

    def task(i):
        begun.append(i)
        if i == 0:
            raise ValueError("the first one")
        return go_on.wait(timeout=30)

    with pytest.raises(ValueError, match="the first one"):
        list(on_threads(task, range(1000)))
    go_on.set()
    # those that wait end, and the threads are free again
    assert list(on_threads(str, range(3))) == ["0", "1", "2"]
    assert len(begun) <= 1 + usable_cores()


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity on this system")
def test_on_one_core_this_thread_computes():
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        assert usable_cores() == 1
        assert set(on_threads(on_this_thread, range(8))) == {threading.get_ident()}
    finally:
        os.sched_setaffinity(0, cores)
    assert usable_cores() == len(cores)


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:This process.*is multi-threaded:DeprecationWarning")
def test_a_process_that_was_forked_starts_threads_of_its_own():
    assert MemoryBlocks(range(64)).sum(lambda i: i) == 2016
    fork = multiprocessing.get_context("fork")
    receiver, sender = fork.Pipe(duplex=False)

    def child():
        sender.send(MemoryBlocks(range(64)).sum(lambda i: i))

    process = fork.Process(target=child)
    process.start()
    try:
        assert receiver.poll(30), "the child waits for threads that it does not have"
        assert receiver.recv() == 2016
    finally:
        process.kill()
        process.join()
