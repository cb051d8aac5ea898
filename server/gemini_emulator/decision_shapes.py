"""The messages of `decisions.create`, in the notation of `interaction_shapes`.

Source: `CreateDecisionRequest` and the three questions in the schema of the official SDK of November 2026.
"""

from __future__ import annotations

_INSTRUCTIONS = "instructions!:str/@Instruction/[@Instruction]"

MESSAGES: dict[str, str] = {
    "CreateDecisionRequest": "input!:str/@Content/[@Content] model!:str questions!:{@Question}",
    "ChoiceQuestion": f"criteria!:{{str}} {_INSTRUCTIONS}",
    "ScoreQuestion": f"criteria!:[str] {_INSTRUCTIONS}",
    "NoulQuestion": f"criteria:NoulCriteria {_INSTRUCTIONS}",
    "NoulCriteria": "false_description:str true_description:str",
}

UNIONS: dict[str, str] = {
    "Question": "choice=ChoiceQuestion score=ScoreQuestion noul=NoulQuestion",
    "Instruction": "text=TextContent",
}
