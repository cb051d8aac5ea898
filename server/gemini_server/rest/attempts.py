"""The attempts of one call: sent, judged, waited for and repeated, all before one deadline."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio
import httpx2

from gemini_server.errors import BadAnswer, KeyRefused, ToolserverError

from . import answer, connection, failure, retry
from .complaint import Complaint, read_complaint
from .config import ClientConfig
from .connection import Outbound
from .credentials import REFUSED, Credential, name_in
from .exchange import Exchange, Order, refused_key
from .retry import AttemptError, Fault, RetryNote

OnRetry = Callable[[RetryNote], Awaitable[None]]

R = TypeVar("R")
Take = Callable[[httpx2.Response, float], Awaitable[R]]
"""Makes the result of a call from a good answer (of a link: from any) and the deadline (on the client's clock)."""

_ERROR_BYTES = 256 * 1024
"""More of an error's body is not read."""


class Attempts:
    """Repeats what may be repeated (see `retry`), within the deadline of each call and the budget of all.

    Args:
        config: the limits.
        exchange: what sends.
        clock: monotonic seconds.
        sleep: waits.
        random: 0 to 1.
        wall: seconds since 1970.
    """

    def __init__(
        self,
        config: ClientConfig,
        exchange: Exchange,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        random: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        self._config = config
        self._exchange = exchange
        self._clock = clock
        self._sleep = sleep
        self._random = random
        self._wall = wall
        self._host = config.url.host
        self._budget = retry.RetryBudget(clock)

    async def run(self, order: Order, take: Take[R], timeout: float | None, on_retry: OnRetry | None) -> tuple[R, int]:
        """The result of a call, and how many further attempts it took.

        Raises:
            ToolserverError: what the last attempt failed with; its `retries` is set.
        """
        seconds = self._config.timeout if timeout is None else min(timeout, self._config.timeout)
        deadline = self._clock() + seconds
        self._budget.call()
        retries = 0
        renewed = False
        while True:
            outcome = await self._attempt(order, take, deadline, seconds, retries)
            if not isinstance(outcome, Fault):
                return outcome, retries
            if not renewed and outcome.refused_key is not None:
                renewed = True
                if await self._renewed(outcome.refused_key, deadline):
                    continue
            delay = self._wait(outcome, retries, deadline)
            error = outcome.error
            if delay is None:
                error.retries = retries
                raise error from outcome.cause
            retries += 1
            if on_retry is not None:
                await on_retry(RetryNote(retries, delay, error.what, error.status))
            await self._sleep(delay)
            if self._clock() >= deadline:
                error.retries = retries - 1
                raise error from outcome.cause

    async def _renewed(self, refused: bytes, deadline: float) -> bool:
        """Whether there is another credential than the one that was refused: it may have been rotated."""
        with anyio.move_on_after(deadline - self._clock()):
            return await self._exchange.credential.renew(refused)
        return False

    def _wait(self, fault: Fault, retries: int, deadline: float) -> float | None:
        """Seconds until the next attempt, or None when this was the last."""
        if not fault.again or retries + 1 >= self._config.max_attempts:
            return None
        asked = None if fault.delay is None else max(retry.LEAST_SECONDS, fault.delay)
        if asked is not None:
            # Everyone was told the same delay: a little more keeps them from coming back in the same instant.
            delay = asked + self._random() * min(1.0, asked / 10)
        else:
            delay = retry.backoff(retries, self._random)
        remaining = deadline - self._clock()
        if delay >= remaining:
            delay = asked or delay
        if delay >= remaining:
            fault.error.retry_after = delay
            return None
        return delay if self._budget.spend() else None

    async def _attempt(self, order: Order, take: Take[R], deadline: float, seconds: float, retries: int) -> R | Fault:
        outbound = Outbound(order.body)
        remaining = deadline - self._clock()
        try:
            with anyio.move_on_after(remaining):
                return await self._answered(order, outbound, remaining, deadline, take)
        except AttemptError as failed:
            failed.fault.cause = failed.__cause__
            return failed.fault
        except httpx2.TransportError as exc:
            fault = connection.broken(exc, self._whom(outbound), left=outbound.left, repeat=order.repeat)
            fault.cause = exc
            return fault
        except ToolserverError as error:
            error.retries = retries
            raise
        return connection.late(seconds, self._whom(outbound), left=outbound.left, repeat=order.repeat)

    def _whom(self, outbound: Outbound) -> str:
        return f"{outbound.detour} (where {self._host} points to)" if outbound.detour else self._host

    async def _answered(self, order: Order, outbound: Outbound, remaining: float, deadline: float, take: Take[R]) -> R:
        response = await self._exchange.open(order, outbound, remaining)
        try:
            if order.link or 200 <= response.status_code < 300:
                return await take(response, deadline)
            raise AttemptError(await self._refusal(response, order))
        except BaseException:
            await response.aclose()
            raise

    async def _refusal(self, response: httpx2.Response, order: Order) -> Fault:
        """What a status that is not 2xx means."""
        complaint = await read_refusal(response, self._config)
        fault = failure.fault_of(complaint, response.headers, repeat=order.repeat, wall=self._wall)
        return about_key(fault, response, self._exchange.credential)


def about_key(fault: Fault, response: httpx2.Response, credential: Credential) -> Fault:
    """A fault that says, where Google refused the credential, which one that was and what mends it."""
    if isinstance(fault.error, KeyRefused) and fault.error.status in REFUSED:
        fault.refused_key = refused_key(response)
    name_in(fault.error, credential)
    return fault


async def read_refusal(response: httpx2.Response, config: ClientConfig) -> Complaint:
    """What a refusal says; its body may be broken, cut or endless, and the status still counts."""
    try:
        body = await answer.read(response, cap=_ERROR_BYTES, idle=config.connect_timeout)
    except (answer.CutError, BadAnswer):
        body = b""
    return read_complaint(response.status_code, body)
