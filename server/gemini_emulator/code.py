"""The code execution tool: real results for simple calculations, by walking a syntax tree and never by running it.

Source: "Code execution" of the Gemini API (`executableCode` and `codeExecutionResult` parts).
"""

from __future__ import annotations

import ast
import math
import re
import statistics
from collections.abc import Callable
from dataclasses import dataclass

_OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: lambda one, other: one + other,
    ast.Sub: lambda one, other: one - other,
    ast.Mult: lambda one, other: one * other,
    ast.Div: lambda one, other: one / other,
    ast.FloorDiv: lambda one, other: one // other,
    ast.Mod: lambda one, other: one % other,
    ast.Pow: lambda one, other: one**other,
}
_EXPRESSION = re.compile(r"[-(]*\d[\d\s.,()+*/%×÷^-]*\d\)*|\d\)*")
_LARGEST = 1e18
_MOST = 1000


@dataclass(frozen=True)
class Run:
    """A program, what it printed and the picture that it drew."""

    source: str
    output: str
    png: bytes = b""


def calculate(text: str) -> str | None:
    """The value of the first arithmetic expression in a text, if there is one."""
    for found in _EXPRESSION.finditer(text):
        expression = found.group().replace("×", "*").replace("÷", "/").replace("^", "**").strip(" .,")
        if not re.search(r"\d[\s)]*(?:\*\*|[-+*/%])[\s(]*-?\d", expression) or re.fullmatch(
            r"\d{4}-\d\d-\d\d", expression
        ):
            continue
        try:
            return _shown(_evaluate(ast.parse(expression.replace(",", ""), mode="eval").body))
        except (SyntaxError, ValueError, TypeError, ArithmeticError):
            continue
    return None


def expression_in(text: str) -> str | None:
    """The expression that `calculate` would evaluate."""
    for found in _EXPRESSION.finditer(text):
        if calculate(found.group()) is not None:
            return found.group().replace("×", "*").replace("÷", "/").replace("^", "**").strip(" .,").replace(",", "")
    return None


def execute(prompt: str) -> Run:
    """A program that suits the prompt, with its real output."""
    lowered = prompt.lower()
    numbers = [int(number) for number in re.findall(r"(?<!\d)\d{1,18}(?!\d)", prompt)]
    size = min(numbers[0], _MOST) if numbers else 10
    if "prime" in lowered:
        return _primes(size, "sum" in lowered)
    if "factorial" in lowered:
        size = min(size, 200)
        return Run(f"import math\nprint(math.factorial({size}))", str(math.factorial(size)))
    if "fib" in lowered:
        return _fibonacci(min(size, 90))
    expression = expression_in(prompt)
    if expression:
        return Run(f"print({expression})", str(calculate(expression)))
    if numbers and ("sum" in lowered or "average" in lowered or "mean" in lowered):
        total = sum(numbers)
        if "sum" in lowered:
            return Run(f"print(sum({numbers}))", str(total))
        return Run(f"values = {numbers}\nprint(sum(values) / len(values))", str(total / len(numbers)))
    words = prompt.split()
    return Run(f"words = {words[:12]!r}\nprint(len(words))", str(len(words[:12])))


def summarise(name: str, values: list[float], origin: str, text: str) -> Run:
    """A program that adds up or averages a column of numbers, with its real output."""
    shown = [int(value) if value.is_integer() else value for value in values]
    lowered = text.lower()
    head = f"values = {shown}  # column {name!r} of {origin}\n"
    if re.search(r"\b(?:mean|average|avg)\b", lowered):
        return Run(f"{head}print(sum(values) / len(values))", str(sum(shown) / len(shown)))
    if re.search(r"\bmedian\b", lowered):
        return Run(f"import statistics\n{head}print(statistics.median(values))", str(statistics.median(shown)))
    for word, function in (("max", max), ("largest", max), ("highest", max), ("min", min), ("smallest", min)):
        if word in lowered:
            return Run(f"{head}print({function.__name__}(values))", str(function(shown)))
    if re.search(r"\b(?:count|how many)\b", lowered):
        return Run(f"{head}print(len(values))", str(len(shown)))
    return Run(f"{head}print(sum(values))", str(sum(shown)))


def _primes(count: int, add: bool) -> Run:
    primes: list[int] = []
    candidate = 2
    while len(primes) < count:
        if all(candidate % prime for prime in primes if prime * prime <= candidate):
            primes.append(candidate)
        candidate += 1
    source = (
        "primes = []\ncandidate = 2\n"
        f"while len(primes) < {count}:\n"
        "    if all(candidate % prime for prime in primes):\n        primes.append(candidate)\n    candidate += 1\n"
    )
    return Run(f"{source}print(sum(primes))", str(sum(primes))) if add else Run(f"{source}print(primes)", str(primes))


def _fibonacci(count: int) -> Run:
    numbers = [0, 1]
    while len(numbers) < count:
        numbers.append(numbers[-1] + numbers[-2])
    source = f"numbers = [0, 1]\nwhile len(numbers) < {count}:\n    numbers.append(numbers[-1] + numbers[-2])\n"
    return Run(f"{source}print(numbers)", str(numbers))


def _evaluate(node: ast.expr) -> float:
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_evaluate(node.operand)
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        left, right = _evaluate(node.left), _evaluate(node.right)
        if isinstance(node.op, ast.Pow) and (abs(left) > 1000 or not 0 <= right <= 64):
            raise ValueError("too large")
        result = _OPERATORS[type(node.op)](left, right)
        if abs(result) > _LARGEST:
            raise ValueError("too large")
        return result
    raise ValueError("not arithmetic")


def _shown(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else str(round(value, 10))
