"""The steps of Deep Research: what it searches, reads and looks up before it writes.

Nothing leaves this machine: pages are read by the convention of `pages`, File Search looks into the emulator's own
stores, and a remote MCP server is only said to have been asked. Source: "Deep Research" of the Gemini API, and the step
messages of its schema.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import quote_plus

from .code import execute
from .grounding import search
from .interaction_answer import citation_of, step_call, step_result
from .pages import MOST, retrieval
from .prompt import Prompt
from .signatures import sign
from .tokens import of_text
from .wire import Object

_PAGE_TOKENS = 1800
_ROUND_TOKENS = 900
_USUAL_TOOLS = ("google_search", "url_context", "code_execution")


@dataclass
class Findings:
    """What the work has come to.

    Attributes:
        steps: what was done, in order.
        claims: what was found out, each with the citations that it rests on.
        tools: how often each grounding tool was used.
        read: the tokens that the tools brought.
        thoughts: the tokens of the thinking.
    """

    steps: list[Object] = field(default_factory=list[Object])
    claims: list[tuple[str, tuple[Object, ...]]] = field(default_factory=list[tuple[str, tuple[Object, ...]]])
    tools: dict[str, int] = field(default_factory=dict[str, int])
    read: int = 0
    thoughts: int = 0

    def think(self, summary: str, *, shown: bool) -> None:
        """Add a thought; its summary is shown only where it was asked for."""
        step: Object = {"type": "thought", "signature": sign("research", summary)}
        if shown:
            step["summary"] = [{"type": "text", "text": summary}]
        self.thoughts += 40 + of_text(summary)
        self.steps.append(step)


def researched(prompt: Prompt, tools: list[Object], rounds: int, *, shown: bool) -> Findings:
    """Do the work.

    Args:
        prompt: the question.
        tools: those of the request; none means the usual ones.
        rounds: how often to search.
        shown: whether the thoughts have summaries.
    """
    names = [tool["type"] for tool in tools] or list(_USUAL_TOOLS)
    topic = prompt.text if prompt.say is None else prompt.say
    found = Findings()
    found.think(f"**Planning the research**\n\nI split “{_short(topic)}” into {rounds} lines of search.", shown=shown)
    if "google_search" in names:
        for number in range(rounds):
            _search(found, prompt, number)
            found.think(f"**Weighing round {number + 1}**\n\nThe sources agree on the main points.", shown=shown)
    if "file_search" in names:
        _files(found, prompt)
    if "url_context" in names:
        _pages(found, prompt)
    if "code_execution" in names and prompt.facts.numbers:
        _compute(found, prompt)
    for tool in tools:
        if tool["type"] == "mcp_server":
            _ask(found, prompt, tool)
    found.think("**Writing the report**\n\nI put the findings in order and cite each of them.", shown=shown)
    return found


def _search(found: Findings, prompt: Prompt, number: int) -> None:
    words = [prompt.facts.topic(number), prompt.facts.topic(number + 1)]
    queries = [" ".join(words), f"{words[0]} {prompt.today.year}"]
    grounding = search(prompt)
    if prompt.say is not None:
        grounding, queries = grounding.saying(prompt.say), [prompt.say]
    chunks = [_web(chunk, number) for chunk in grounding.chunks]
    ident = _ident(prompt, f"search {number}")
    shown = grounding.metadata("")["searchEntryPoint"]["renderedContent"]
    found.steps += [
        {**step_call("google_search", ident, {"queries": queries}), "search_type": "web_search"},
        {**step_result("google_search", ident, [{"search_suggestions": shown}]), "is_error": False},
    ]
    claims = [(claim.text, tuple(chunks[index] for index in claim.chunks)) for claim in grounding.claims]
    if number and prompt.say is None:
        doubt = f"What is less certain is how far {words[1]} matters; sources of {prompt.today.year} differ."
        sure = f"A closer look at “{queries[0]}” bears this out, größtenteils at least ✅."
        claims = [(sure, tuple(chunks[:2])), (doubt, (chunks[-1],))]
    found.claims += claims
    found.tools["google_search"] = found.tools.get("google_search", 0) + len(queries)
    found.read += _ROUND_TOKENS


def _web(chunk: Object, number: int) -> Object:
    """A web source; each round of search finds others."""
    web: Object = chunk["web"]
    return {"type": "url_citation", "url": f"{web['uri']}{number or ''}", "title": web["title"]}


def _files(found: Findings, prompt: Prompt) -> None:
    ident = _ident(prompt, "files")
    found.steps += [
        {"type": "file_search_call", "id": ident, "signature": sign("file_search", ident)},
        {"type": "file_search_result", "call_id": ident, "signature": sign("file_search", ident, "result")},
    ]
    found.tools["retrieval"] = 1
    retrieved = prompt.retrieved
    if retrieved is None:
        return
    found.read += retrieved.tokens
    if retrieved.grounding is None:
        found.claims.append((retrieved.text, ()))
        return
    chunks = [citation_of(chunk) for chunk in retrieved.grounding.chunks]
    found.claims += [
        (claim.text, tuple(chunks[index] for index in claim.chunks)) for claim in retrieved.grounding.claims
    ]


def _pages(found: Findings, prompt: Prompt) -> None:
    named = list(dict.fromkeys(prompt.facts.urls))[:MOST]
    urls = named or [f"https://science.example/{quote_plus(prompt.facts.topic())}"]
    statuses = [(url, retrieval(url).lower()) for url in urls]
    ident = _ident(prompt, "pages")
    results = [{"url": url, "status": status} for url, status in statuses]
    found.steps += [
        step_call("url_context", ident, {"urls": urls}),
        {**step_result("url_context", ident, results), "is_error": False},
    ]
    for url, status in statuses:
        if status == "success":
            cited: Object = {"type": "url_citation", "url": url, "title": url.split("/")[2]}
            found.claims.append((f"The page {url} speaks about {prompt.facts.topic()} at length.", (cited,)))
            found.read += _PAGE_TOKENS


def _compute(found: Findings, prompt: Prompt) -> None:
    run = execute(prompt.text)
    ident = _ident(prompt, "code")
    found.steps += [
        step_call("code_execution", ident, {"language": "python", "code": run.source}),
        {**step_result("code_execution", ident, run.output + "\n"), "is_error": False},
    ]
    found.claims.append((f"A short program computed {run.output}.", ()))
    found.read += of_text(run.source + run.output)


def _ask(found: Findings, prompt: Prompt, tool: Object) -> None:
    server: str = tool.get("name") or tool["url"].split("/")[2]
    allowed = [name for one in tool.get("allowed_tools", []) for name in one.get("tools", [])]
    name = allowed[0] if allowed else "search"
    ident = _ident(prompt, f"mcp {server}")
    answer = f"[emulated] {server} knows about {prompt.facts.topic()}." if prompt.say is None else prompt.say
    found.steps += [
        {
            "type": "mcp_server_tool_call",
            "id": ident,
            "name": name,
            "server_name": server,
            "arguments": {"query": prompt.facts.topic()},
        },
        {
            "type": "mcp_server_tool_result",
            "call_id": ident,
            "name": name,
            "server_name": server,
            "result": [{"type": "text", "text": answer}],
        },
    ]
    found.claims.append((f"The server {server} says: {answer}", ()))
    found.read += of_text(answer)


def _ident(prompt: Prompt, purpose: str) -> str:
    return f"{prompt.rng(f'research {purpose}').getrandbits(40):010x}"


def _short(text: str) -> str:
    return text if len(text) <= 120 else f"{text[:119]}…"
