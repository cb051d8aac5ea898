"""The method `decisions.create`: questions about one input, each answered with probabilities instead of words.

`choice` takes one of several options, `score` a level of a scale (0 is the first), `noul` yes or no. Source: the
schemas CreateDecisionRequest and CreateDecisionResponse of the Interactions API, November 2026.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from gemini_server.api.interaction_content import Content
from gemini_server.api.interaction_wire import Read, Told
from gemini_server.api.interactions import Usage
from gemini_server.rest.endpoint import Endpoint

MOST_CRITERIA = 255


class ChoiceQuestion(Told):
    """Which of several."""

    type: Literal["choice"]
    instructions: str = Field(min_length=1, description="what to decide")
    criteria: dict[str, str] = Field(
        min_length=2, max_length=MOST_CRITERIA, description="options: name → when it is the right one"
    )


class ScoreQuestion(Told):
    """How much."""

    type: Literal["score"]
    instructions: str = Field(min_length=1, description="what to rate")
    criteria: list[str] = Field(min_length=2, max_length=MOST_CRITERIA, description="levels from 0 on: what each means")


class NoulCriteria(Told):
    """What each of the two means."""

    true_description: str | None = Field(None, description="when it is true")
    false_description: str | None = Field(None, description="when it is false")


class NoulQuestion(Told):
    """Whether."""

    type: Literal["noul"]
    instructions: str = Field(min_length=1, description="what is true or false")
    criteria: NoulCriteria | None = Field(None, description="when it is which")


Question = Annotated[ChoiceQuestion | ScoreQuestion | NoulQuestion, Field(discriminator="type")]


class CreateDecision(Told):
    """Questions about one input, by names of the caller's choice."""

    model: str
    input: str | list[Content]
    questions: dict[str, Question]


class DecisionAnswer(Read):
    """An answer of any type: `choice` a name, `score` an expected level, `noul` the probability that it is true."""

    type: str | None = None
    choice: str | None = None
    score: float | None = None
    noul: float | None = None
    confidence: float | None = None
    probabilities: dict[str, float] | None = None
    legend: dict[str, str] | None = None


class PromptFeedback(Read):
    """Why the input was refused."""

    block_reason: str | None = None
    block_reason_message: str | None = None


class Decision(Read):
    """The answers by the names of their questions."""

    essential: ClassVar[frozenset[str] | None] = frozenset({"answers"})

    answers: dict[str, DecisionAnswer] | None = None
    prompt_feedback: PromptFeedback | None = None
    usage: Usage | None = None


CREATE = Endpoint("POST", "{version}/decisions", Decision, repeat="foreground", family="interactions")
