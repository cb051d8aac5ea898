"""The doctor, from inside the client; and what was spent."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from gemini_server.toolkit.call import Call
from gemini_server.toolkit.health import Check, examine
from gemini_server.toolkit.results import Result
from gemini_server.toolkit.toolset import Toolset

TOOLSET = Toolset("models", "The models that a key can use.")


class CheckOut(Result):
    """One check."""

    name: str
    status: Literal["ok", "warning", "failed"]
    detail: str


class Status(Result):
    """All checks."""

    checks: list[CheckOut]
    version: str
    emulated: Annotated[bool | None, Field(description="an emulator answers, not Google")] = None

    def as_text(self) -> str:
        """A line for each check."""
        return "\n".join(f"{check.status}: {check.name}: {check.detail}" for check in self.checks)


@TOOLSET.tool(read_only=True, destructive=False, idempotent=True, open_world=True, default=True)
async def server_status(call: Call) -> Status:
    """Check this server: its key, the way to Gemini, the directories it reads, its ledger, what was spent today. Use it
    when other tools fail. Free.
    """
    checks: list[Check] = await examine(call.runtime, call.principal)
    return Status(
        checks=[CheckOut(name=check.name, status=check.status, detail=check.detail) for check in checks],
        version=call.runtime.version,
        emulated=call.runtime.emulated or None,
    )


class SpentOut(Result):
    """One model on one day."""

    day: str
    model: str
    calls: int
    input_tokens: int
    output_tokens: int
    thought_tokens: int
    cached_tokens: int
    cost_usd: Annotated[float | None, Field(description="null: price unknown")] = None
    unpriced_calls: Annotated[int | None, Field(description="calls whose price is unknown, not in cost_usd")] = None

    @model_serializer(mode="wrap")
    def _keep_unknown_cost(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {**dump(self), "cost_usd": self.cost_usd}


class UsageByDay(Result):
    """What was spent in the last 30 days."""

    days: list[SpentOut]


@TOOLSET.resource("gemini://usage", description="Tokens and money by day and model, the last 30 days.")
async def usage(call: Call) -> UsageByDay:
    """Spending by day and model."""
    await call.runtime.spending.flush()
    rows = await call.runtime.spending.by_day(call.principal, days=30)
    return UsageByDay(
        days=[
            SpentOut(
                day=str(row.day),
                model=row.model,
                calls=row.calls,
                input_tokens=row.input_tokens,
                output_tokens=row.output_tokens,
                thought_tokens=row.thought_tokens,
                cached_tokens=row.cached_tokens,
                cost_usd=row.cost_usd,
                unpriced_calls=row.unpriced_calls or None,
            )
            for row in rows
        ]
    )
