"""Functions of x that a prompt writes down, evaluated by walking their syntax tree."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable

_OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: lambda one, other: one + other,
    ast.Sub: lambda one, other: one - other,
    ast.Mult: lambda one, other: one * other,
    ast.Div: lambda one, other: one / other,
    ast.Pow: lambda one, other: math.pow(one, other),
}
_FUNCTIONS: dict[str, Callable[[float], float]] = {
    "sin": math.sin, "cos": math.cos, "tan": math.tan, "exp": math.exp, "log": math.log, "ln": math.log,
    "sqrt": math.sqrt, "abs": abs,
}  # fmt: skip
_NAMES = {"pi": math.pi, "e": math.e}
_NUMPY = {"ln": "log", "abs": "abs"}
_WORD = rf"(?<![a-z])(?:{'|'.join(_FUNCTIONS)}|pi|x|e)(?![a-z])"
# Nothing is ever given back, so that no prompt can keep this busy.
_EXPRESSION = re.compile(rf"(?<![\w.])((?:{_WORD}|\d++(?:\.\d++)?|[-+*/^()²³·×\s])++)(?:(?<=\s)|(?!\w))", re.IGNORECASE)
_LONGEST = 120
LARGEST = 1e300


class Curve:
    """A function of x.

    Attributes:
        source: as Python.
        numpy: as Python over arrays.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self._tree = ast.parse(source, mode="eval").body
        if not any(isinstance(node, ast.Name) and node.id == "x" for node in ast.walk(self._tree)):
            raise ValueError("no function of x")
        self.numpy = re.sub(r"\b(sin|cos|tan|exp|log|ln|sqrt|abs|pi|e)\b", _numpy_name, source)

    def at(self, x: float) -> float | None:
        """The value at a point; None where there is none."""
        try:
            value = _value(self._tree, x)
        except (ArithmeticError, ValueError):
            return None
        return value if abs(value) < LARGEST else None


def curve_in(text: str) -> Curve | None:
    """The first function of x in a text."""
    for found in _EXPRESSION.finditer(text):
        source = _as_python(found[1])
        if "x" not in source or len(source) > _LONGEST:
            continue
        try:
            curve = Curve(source)
            values = [curve.at(point) for point in (0.5, 1.5, 2.5)]
        except (SyntaxError, ValueError, RecursionError):
            continue
        if any(value is not None for value in values):
            return curve
    return None


def _as_python(text: str) -> str:
    source = text.strip().lower()
    for sign, python in (("^", "**"), ("²", "**2"), ("³", "**3"), ("·", "*"), ("×", "*")):
        source = source.replace(sign, python)
    source = re.sub(r"(\d|\))\s*(?=[a-z(])", r"\1*", source)
    source = re.sub(r"\bx\s*(?=\()", "x*", source)
    return re.sub(r"\s+", " ", source).strip()


def _numpy_name(found: re.Match[str]) -> str:
    return f"np.{_NUMPY.get(found[1], found[1])}"


def _value(node: ast.expr, x: float) -> float:
    match node:
        case ast.Constant(value=int() | float() as value):
            return float(value)
        case ast.Name(id="x"):
            return x
        case ast.Name(id=name) if name in _NAMES:
            return _NAMES[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, x)
        case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _OPERATORS:
            return _OPERATORS[type(operator)](_value(left, x), _value(right, x))
        case ast.Call(func=ast.Name(id=name), args=[argument]) if name in _FUNCTIONS:
            return _FUNCTIONS[name](_value(argument, x))
        case _:
            raise ValueError("not a function of x")
