"""The model, generating for many requests at once: transformers' continuous batching manager, kept alive.

``predict`` starts one ``Engine`` and asks it for each prediction's tokens. The manager works in a thread of
its own; everything else here happens on the event loop. The engine knows tokens, never text.
"""

import asyncio
import itertools
import threading
import time
from collections.abc import AsyncGenerator, Callable
from typing import Any

from devices import layer_devices, spread
from sampling import Sampler, Sampling, processors
from served import Beside, Served
from sizes import Sizes
from steps import follow, name_of
from transformers import ContinuousBatchingConfig, GenerationConfig
from transformers.generation.continuous_batching.continuous_api import (
    BackgroundThreadStatus,
    ContinuousBatchingManager,
    OutputRouter,
)
from transformers.generation.continuous_batching.requests import GenerationOutput


class Stopped(RuntimeError):
    """The model's generation loop has ended; this instance answers no more."""


class Engine:
    """Starts on the running event loop; ``ends`` are the tokens that end an answer."""

    def __init__(self, model: Any, *, sizes: Sizes, ends: list[int]):
        self.limit_tokens = sizes.limit_tokens
        self.failure: str | None = None
        self._ends = ends
        self._numbers = itertools.count()
        self._streams: dict[str, _Stream] = {}
        self._manager = _manager(model, sizes, ends)
        loop = asyncio.get_running_loop()
        self._manager.output_router = _Router(loop, self._deliver)
        self._manager.warmup()  # makes the cache now, so that a lack of memory is an error of the start
        _spread(self._manager)
        follow(self._manager.batch_processor, Beside(model))
        # The manager's thread inherits from the one that starts it that it must not keep the process alive.
        threading.Thread(target=self._live, args=(loop,), daemon=True).start()

    async def tokens(
        self, prompt: list[int], sampling: Sampling, *, adapter: Served | None = None
    ) -> AsyncGenerator[list[int]]:
        """What the request makes, as it is made; leaving the iteration early frees its place within a step.

        The prompt and ``sampling.max_tokens`` together must not exceed ``limit_tokens``.
        ``ValueError`` where the adapter makes no numbers of the prompt.
        """
        if self.failure is not None:
            raise Stopped(self.failure)
        name = name_of(next(self._numbers), adapter)
        stream = self._streams[name] = _Stream()
        try:
            self._add(name, prompt, sampling, adapter)
            while not stream.is_spent:
                fresh = await stream.take()
                if sampling.is_lost:
                    raise ValueError(
                        "The adapter cannot be used: its numbers are so large that they overflow."
                    )
                yield fresh
        finally:
            del self._streams[name]
            if not stream.is_over:
                self._manager.cancel_request(name)

    @property
    def running(self) -> int:
        """How many requests have a place in the batch or wait for one."""
        processor = self._manager.batch_processor
        if processor is None:
            return 0
        return len(processor.scheduler.active_requests) + len(processor.scheduler.waiting_requests)

    def stop(self) -> None:
        """Ends the generation loop; what runs fails."""
        self._manager.background_thread_status.request_stop(BackgroundThreadStatus.HARD_STOP, 0)

    def _add(self, name: str, prompt: list[int], sampling: Sampling, adapter: Served | None) -> None:
        # A loop that is just ending takes no request and says so by its None; ``_end`` then tells the stream.
        self._manager.add_request(
            prompt,
            request_id=name,
            max_new_tokens=sampling.max_tokens,
            streaming=True,
            eos_token_id=self._ends,
            sampling=sampling,
            **({"adapter": adapter} if adapter else {}),
        )

    def _live(self, loop: asyncio.AbstractEventLoop) -> None:
        """The manager's life, in a thread; whoever waits when it is over is told."""
        self._manager.start()
        self._manager.join(time.perf_counter())
        error = self._manager.background_thread_status.fatal_error
        reason = "it was stopped" if error is None else f"{type(error).__name__}: {error}"
        _post(loop, self._end, f"The model's generation loop has ended ({reason}).")

    def _end(self, failure: str) -> None:
        self.failure = failure
        for stream in self._streams.values():
            stream.fail(failure)

    def _deliver(self, outputs: list[GenerationOutput]) -> None:
        for output in outputs:
            stream = self._streams.get(output.request_id)
            if stream is not None:  # else it was cancelled a moment ago
                stream.give(output)


class _Stream:
    """One request's tokens on their way from the manager to whoever iterates."""

    def __init__(self) -> None:
        self.is_over = False
        self._fresh: list[int] = []
        self._known = 0
        self._failure: str | None = None
        self._waiter: asyncio.Future[None] | None = None

    @property
    def is_spent(self) -> bool:
        """Whether nothing is left to take. More may have come, and the end, since somebody took something."""
        return self.is_over and not self._fresh and self._failure is None

    async def take(self) -> list[int]:
        """The tokens since the last call, at least one unless the request is over."""
        if not self._fresh and not self.is_over and self._failure is None:
            # Not an asyncio.Event: its queue of waiters was a seventh of the loop's time at 64 streams.
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        if self._failure is not None:
            raise Stopped(self._failure)
        fresh, self._fresh = self._fresh, []
        return fresh

    def give(self, output: GenerationOutput) -> None:
        self._fresh += output.generated_tokens[self._known :]
        self._known = len(output.generated_tokens)
        self.is_over = output.is_finished()
        if output.error is not None:
            self._failure = f"The model could not go on with this prediction: {output.error}"
        self._wake()

    def fail(self, failure: str) -> None:
        if self.is_over:
            return
        self.is_over = True
        self._failure = failure
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class _Router(OutputRouter):
    """Where the manager puts its results: all of one step go to the event loop in one call."""

    def __init__(self, loop: asyncio.AbstractEventLoop, take: Callable[[list[GenerationOutput]], None]):
        super().__init__()
        self._loop = loop
        self._take = take

    def deliver(self, output: GenerationOutput) -> None:
        self.deliver_batch([output])

    def deliver_batch(self, outputs: list[GenerationOutput]) -> None:
        _post(self._loop, self._take, outputs)


def _manager(model: Any, sizes: Sizes, ends: list[int]) -> ContinuousBatchingManager:
    # Its own sampling is for the whole batch. Ours is for each request and comes before the best is taken.
    config = GenerationConfig(do_sample=False, eos_token_id=ends or [-1])
    manager = model.init_continuous_batching(
        generation_config=config,
        continuous_batching_config=ContinuousBatchingConfig(
            page_size=sizes.page_tokens,
            num_blocks=sizes.pages,
            max_batch_tokens=sizes.batch_tokens,
            max_requests_per_batch=sizes.slots,
            max_memory_percent=1.0,  # ``sizes`` has left room; the manager only checks
            use_cuda_graph=False,  # our choice of tokens looks at the requests, which no graph can record
            use_async_batching=False,  # and wants each token before the next step
        ),
    )
    manager.logit_processor = processors(Sampler(ends))
    return manager


def _spread(manager: ContinuousBatchingManager) -> None:
    """Pages on every device that has layers, where there is more than one."""
    if len({parameter.device for parameter in manager.model.parameters()}) > 1:
        spread(manager.batch_processor.cache, layer_devices(manager.model))


def _post(loop: asyncio.AbstractEventLoop, call: Callable[..., None], *args: Any) -> None:
    try:
        loop.call_soon_threadsafe(call, *args)
    except RuntimeError:
        return  # the loop is closed: the process ends, and nobody waits
