"""One model process, seen from the server: frames in and out, its output, its end.

Made by ``process``. Everything here runs in the event loop and nothing waits, but for ``stop``. What was
ready in one turn is told to the listener in one go.
"""

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Callable
from typing import Any

import msgspec

from stoker.core.errors import InstanceFailed
from stoker.engines import endings, frames
from stoker.engines.endings import OomKills
from stoker.engines.printed import Printed
from stoker.engines.spawn import Child
from stoker.engines.wire import Claim, Wire
from stoker.ports.engine import InstanceSpec, Listener, Run, Start

_TERM_S = 1.0
"""How long a process that did not end by itself may take after SIGTERM."""
_SILENT_S = 1.0
"""How long a process may live on after closing its end of the socket."""

log = logging.getLogger(__name__)


class ProcessInstance:
    """``release`` ends what the process has left behind and removes its folders.

    ``booted`` is told once: how many seconds the model's imports took, or None where it never became ready.
    """

    def __init__(
        self,
        spec: InstanceSpec,
        listener: Listener,
        child: Child,
        *,
        claim: Claim,
        limit_bytes: int,
        release: Callable[[], None],
        oom: OomKills,
        booted: Callable[[float | None], None],
    ):
        self.id = spec.id
        self.began: Start = child.began
        self._booted: Callable[[float | None], None] | None = booted
        self._listener = listener
        self._child = child
        self._release = release
        self._loop = asyncio.get_running_loop()
        self._printed = Printed(child.pipe)
        self._wire = Wire(child.socket, listener, claim=claim, limit_bytes=limit_bytes)
        self._attributes = spec.slots == 1
        """Whether what is printed belongs to the one run; else it is the instance's."""
        self._reason: str | None = None
        self._gone = False
        self._broken = False
        """Whether it has broken the protocol: what comes after that means nothing."""
        self._released = asyncio.Event()
        self._duties = set[asyncio.Task[None]]()
        self._oom = oom
        self._oom_kills = oom.count()
        late = f"setup took longer than {spec.setup_timeout_s:g} seconds"
        self._deadline = self._loop.call_later(spec.setup_timeout_s, self.kill, late)
        self._loop.add_reader(child.socket.fileno(), self._on_frames)
        self._loop.add_reader(child.pipe, self._on_print)
        self._loop.add_reader(child.pidfd, self._on_exit)

    # -- what the port has -------------------------------------------------------------------------

    def predict(self, run: Run) -> None:
        if self._gone:
            return
        self._tell_printed(self._printed.read_all())  # whatever came before belongs to no run, or to another
        self._wire.begin(run)

    def cancel(self, run: int) -> None:
        self._wire.send(frames.pack(frames.CANCEL, run))

    def check_health(self) -> None:
        self._wire.send(frames.pack(frames.HEALTH))

    def kill(self, reason: str) -> None:
        self._end(reason, signal.SIGKILL)

    async def stop(self, grace_s: float) -> None:
        self._reason = self._reason or "stopped"
        self._booted = None  # whether it would have become ready, nobody knows
        if self._wire.ready:
            self._wire.send(frames.pack(frames.SHUTDOWN))
            await self._wait_released(grace_s)
        if not self._released.is_set():
            self._end("stopped", signal.SIGTERM)
            await self._wait_released(min(grace_s, _TERM_S))
        self._end("stopped", signal.SIGKILL)
        await self._released.wait()

    # -- what happens ------------------------------------------------------------------------------

    def _on_frames(self) -> None:
        data = self._wire.read()
        if data is None:
            return
        if not data:
            self._loop.remove_reader(self._child.socket.fileno())
            self._deadline.cancel()
            self._deadline = self._loop.call_later(_SILENT_S, self.kill, "closed its connection")
            return
        self._take(data)
        self._listener.turn_ended()

    def _take(self, data: bytes) -> None:
        """What was printed before these frames were sent is in the pipe by now: it is told first."""
        self._tell_printed(self._printed.read_all())
        if self._broken:
            return
        try:
            self._wire.take(data, before_done=self._finish_printed)
        except (InstanceFailed, msgspec.MsgspecError, OSError) as error:
            self._broken = True
            self.kill(f"broke the protocol: {error}")
        except Exception:  # the edge: what comes after a lost frame cannot be believed
            log.exception("instance %s told something that could not be taken", self.id)
            self._broken = True
            self.kill("the server could not take what it told")
        if self._wire.ready:
            self._deadline.cancel()
            reached = self._wire.stages
            self._tell_booted(reached.get("setup", 0.0) - reached.get("imports", 0.0))

    def _on_print(self) -> None:
        self._tell_printed(self._printed.read())
        if self._printed.ended:
            self._loop.remove_reader(self._printed.fd)
        self._listener.turn_ended()

    def _on_exit(self) -> None:
        info = os.waitid(os.P_PID, self._child.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG)
        if info is None:
            return
        # Not collected yet, the dead leader keeps its id from being given to another group.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._child.pid, signal.SIGKILL)
        self._detach()
        for data in self._wire.rest():
            self._take(data)
        self._tell_printed(self._printed.read_all())
        self._finish_printed()
        self._gone = True
        self._child.close()
        if self._reason is None and info.si_status == signal.SIGKILL and info.si_code == os.CLD_KILLED:
            self._booted = None  # somebody killed it, which says nothing about how it began
        self._tell_booted(None)
        self._listener.turn_ended()
        self._tell_end(info)
        self._start(self._clean_up())

    def _detach(self) -> None:
        self._deadline.cancel()
        self._wire.close()
        for fd in (self._child.socket.fileno(), self._child.pipe, self._child.pidfd):
            self._loop.remove_reader(fd)

    async def _clean_up(self) -> None:
        await asyncio.to_thread(self._release)
        self._child.collect()
        self._released.set()

    def _tell_booted(self, imports_s: float | None) -> None:
        if (booted := self._booted) is not None:
            self._booted = None
            booted(imports_s)

    # -- ways and means ----------------------------------------------------------------------------

    def _end(self, reason: str, how: signal.Signals) -> None:
        if self._gone:
            return
        self._reason = self._reason or reason
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._child.pid, how)

    def _tell_end(self, info: os.waitid_result) -> None:
        killed = self._reason is None and info.si_status == signal.SIGKILL and info.si_code == os.CLD_KILLED
        out_of_memory = killed and self._oom.any_since(self._oom_kills)
        if out_of_memory:
            self._listener.outgrew()
        self._listener.exited(self._reason or endings.ending(info, out_of_memory=out_of_memory))

    def _finish_printed(self) -> None:
        self._tell_printed(self._printed.finish())

    def _tell_printed(self, text: str) -> None:
        if not text:
            return
        run = self._wire.only_run if self._attributes else None
        if run is None:
            self._listener.instance_log(text)
        else:
            self._listener.log(run, text)

    async def _wait_released(self, timeout_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._released.wait(), timeout_s)

    def _start(self, coroutine: Any) -> None:
        task = self._loop.create_task(coroutine)
        self._duties.add(task)
        task.add_done_callback(self._duties.discard)
