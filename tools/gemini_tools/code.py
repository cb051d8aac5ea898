"""Python that Gemini writes and Google runs."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gemini_server.errors import ArgumentError, BadAnswer
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.generation.dialogue import ask
from gemini_server.toolkit.generation.options import Options
from gemini_server.toolkit.generation.result import Answer, CodeRun, code_lines
from gemini_server.toolkit.params import Attachments, ModelName
from gemini_server.toolkit.results import ArtifactOut
from gemini_server.toolkit.toolset import Toolset
from gemini_server.toolkit.untrusted import label

TOOLSET = Toolset("code", "Python that Gemini writes and Google runs.")


class CodeAnswer(Answer):
    """What programs found out."""

    code: Annotated[list[CodeRun] | None, Field(description="outcome: OK, FAILED, DEADLINE_EXCEEDED")] = None
    outputs: Annotated[list[str] | None, Field(description="what was printed, in order")] = None
    artifacts: Annotated[list[ArtifactOut] | None, Field(description="plots and files")] = None

    def findings(self) -> list[str]:
        """Programs, what they printed, citations."""
        return [*code_lines(self.code), *super().findings()]


@TOOLSET.tool(read_only=True, destructive=False, idempotent=False, open_world=True)
async def run_code(
    call: Call,
    task: Annotated[str, Field(description="what to work out")],
    attachments: Attachments = None,
    model: ModelName = None,
) -> CodeAnswer:
    """Have Gemini write Python and run it at Google: exact sums, data analysis, plots; no network. Billed by token.
    Returns text, code (code, output, outcome), outputs, artifacts, usage.
    """
    if not task.strip():
        raise ArgumentError("task is empty.", "Say what the program should do.")
    answer = await ask(call, model=model, prompt=task, attachments=attachments or (), options=Options(use=["code"]))
    runs = answer.code or []
    failed = [run for run in runs if run.outcome not in (None, "OK")]
    if runs and len(failed) == len(runs) and not answer.text and not answer.artifacts:
        last = failed[-1]
        raise BadAnswer(
            f"No program succeeded; the last one ended with {last.outcome}: {label((last.output or '')[-1000:], 500)} "
            f"The call was billed: {answer.usage}.",
            "Ask for a smaller step, or describe the data more exactly.",
            code=last.outcome or "FAILED",
        )
    result = CodeAnswer(
        **answer.shared(),
        code=runs or None,
        outputs=[run.output for run in runs if run.output] or None,
        artifacts=answer.artifacts,
    )
    result.attach(answer.pictures())
    if not runs:
        result.warn("Gemini answered without running a program.")
    elif runs[-1].outcome != "OK":
        result.incomplete = True
        result.warn(f"The last program did not succeed ({runs[-1].outcome or 'no result'}); see code.")
    return result
