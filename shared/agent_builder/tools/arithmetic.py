"""Exact arithmetic on text, by walking Python's syntax tree. Nothing is evaluated as code.

Numbers are fractions, so 0.1 + 0.2 is 0.3. Sizes are bounded before anything is computed: a power tower costs nothing.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from decimal import Context, Decimal
from fractions import Fraction

from agent_builder.errors import ToolError
from agent_builder.messages import Json

_MAX_BITS = 4096
_DIGITS = 50
_BINARY: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
}


def evaluate(expression: str) -> Json:
    """Work out an expression.

    Returns:
        `{"result": "8.5", "exact": true}`; a value without a finite decimal gets 50 digits, `exact: false` and
        `fraction: "1/3"`.

    Raises:
        ToolError: It is not arithmetic, divides by zero, or is too large; the text says which.
    """
    try:
        tree = ast.parse(expression.strip(), mode="eval")
        return _shown(_value(tree.body, expression.strip()))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ToolError("This is not arithmetic. Use numbers, + - * / // % ** and parentheses.") from None


def _value(node: ast.expr, source: str) -> Fraction:
    if isinstance(node, ast.Constant):
        return _number(node, source)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.UAdd | ast.USub):
        value = _value(node.operand, source)
        return -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.BinOp):
        return _bounded(_binary(node.op, _value(node.left, source), _value(node.right, source)))
    raise ToolError("Only numbers, + - * / // % ** and parentheses are understood.")


def _number(node: ast.Constant, source: str) -> Fraction:
    """Read the digits as they were written: a float would already have lost some."""
    if isinstance(node.value, bool) or not isinstance(node.value, int | float):
        raise ToolError("Only numbers, + - * / // % ** and parentheses are understood.")
    text = (ast.get_source_segment(source, node) or "").replace("_", "")
    if isinstance(node.value, int):
        return _bounded(Fraction(node.value))
    number = Decimal(text)
    if abs(number.adjusted()) > _MAX_BITS // 4:
        raise ToolError("A number is too large or too small.")
    return Fraction(number)


def _binary(kind: ast.operator, left: Fraction, right: Fraction) -> Fraction:
    simple = _BINARY.get(type(kind))
    if simple:
        return simple(left, right)
    if isinstance(kind, ast.Pow):
        return _power(left, right)
    if not isinstance(kind, ast.Div | ast.FloorDiv | ast.Mod):
        raise ToolError("Only + - * / // % and ** are understood.")
    if right == 0:
        raise ToolError("Division by zero.")
    if isinstance(kind, ast.Div):
        return left / right
    return Fraction(left // right) if isinstance(kind, ast.FloorDiv) else left % right


def _power(base: Fraction, exponent: Fraction) -> Fraction:
    if exponent.denominator != 1:
        raise ToolError("Only whole exponents are exact; this one is not.")
    if base == 0 and exponent < 0:
        raise ToolError("Division by zero.")
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    if bits > 1 and bits * abs(exponent) > _MAX_BITS:
        raise ToolError("The result is too large.")
    if bits <= 1:
        exponent = Fraction(int(exponent) % 2 if abs(exponent) > 2 else exponent)
    return Fraction(base ** int(exponent))


def _bounded(value: Fraction) -> Fraction:
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > 2 * _MAX_BITS:
        raise ToolError("The result is too large.")
    return value


def _shown(value: Fraction) -> Json:
    if value.denominator == 1:
        return {"result": str(value.numerator), "exact": True}
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    if rest == 1:
        digits = len(str(value.numerator)) + len(str(value.denominator)) * 4
        exact = Context(prec=digits).divide(Decimal(value.numerator), Decimal(value.denominator))
        return {"result": format(exact.normalize(Context(prec=digits)), "f"), "exact": True}
    rounded = Context(prec=_DIGITS).divide(Decimal(value.numerator), Decimal(value.denominator))
    return {"result": format(rounded, "f"), "exact": False, "fraction": f"{value.numerator}/{value.denominator}"}
