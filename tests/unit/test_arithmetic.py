"""The calculator: exact, bounded, and no code is ever run."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_builder.errors import ToolError
from agent_builder.tools.arithmetic import evaluate


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("0.1 + 0.2", "0.3"),
        ("(3 + 4) * 1.5", "10.5"),
        ("2 ** 10", "1024"),
        ("2 ** -2", "0.25"),
        ("-7 // 2", "-4"),
        ("-7 % 3", "2"),
        ("7.5 % 2", "1.5"),
        ("1_000 * 3", "3000"),
        ("+5 - -5", "10"),
        ("  1 +\t1 ", "2"),
        ("1e3", "1000"),
        ("1.50", "1.5"),
        (".5", "0.5"),
        ("0x10 + 0b11", "19"),
        ("10 / 4", "2.5"),
        ("0 ** 0", "1"),
        ("(-1) ** 1000000001", "-1"),
        ("1 ** 99999999999999999999", "1"),
        ("0.1 ** 3", "0.001"),
        ("123456789123456789 * 987654321987654321", "121932631356500531347203169112635269"),
        ("1 / 1024", "0.0009765625"),
        ("0.00000000000000000000001 + 1", "1.00000000000000000000001"),
    ],
)
def test_exact(expression: str, result: str) -> None:
    assert evaluate(expression) == {"result": result, "exact": True}


def test_a_third_says_what_it_is() -> None:
    assert evaluate("1 / 3") == {"result": "0." + "3" * 50, "exact": False, "fraction": "1/3"}


@given(st.fractions(max_denominator=10**6), st.fractions(max_denominator=10**6))
def test_sums_and_products_agree_with_fractions(left: Fraction, right: Fraction) -> None:
    text = f"({left.numerator}/{left.denominator})"
    other = f"({right.numerator}/{right.denominator})"
    for sign, wanted in (("+", left + right), ("-", left - right), ("*", left * right)):
        answer = evaluate(f"{text} {sign} {other}")
        assert Fraction(answer.get("fraction") or answer["result"]) == wanted
        assert answer["exact"] == ("fraction" not in answer)


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("1 / 0", "zero"),
        ("1 // 0", "zero"),
        ("1 % 0", "zero"),
        ("0 ** -1", "zero"),
        ("9 ** 9 ** 9", "too large"),
        ("9 ** 9 ** 9 ** 9", "too large"),
        ("10 ** 5000", "too large"),
        ("1e99999", "too large"),
        ("1e-99999", "too large or too small"),
        ("9" * 490 + "**40", "too large"),
        ("2 ** 0.5", "whole exponents"),
        ("", "not arithmetic"),
        ("1 +", "not arithmetic"),
        ("1; 2", "not arithmetic"),
        ("x + 1", "Only numbers"),
        ("abs(1)", "Only numbers"),
        ("__import__('os').system('true')", "Only numbers"),
        ("(1).__class__", "Only numbers"),
        ("'a' * 3", "Only numbers"),
        ("[1, 2]", "Only numbers"),
        ("True + 1", "Only numbers"),
        ("1 if 1 else 2", "Only numbers"),
        ("1 < 2", "Only numbers"),
        ("1j * 1j", "Only numbers"),
        ("5 & 3", "Only + -"),
        ("1 << 100000000", "Only + -"),
        ("~5", "Only numbers"),
        ("f'{1}'", "Only numbers"),
        ("lambda: 1", "Only numbers"),
        ("(" * 240 + "1" + ")" * 240, "not arithmetic"),
        ("\x00", "not arithmetic"),
    ],
)
def test_refused_in_words_a_model_can_use(expression: str, told: str) -> None:
    with pytest.raises(ToolError) as refusal:
        evaluate(expression)
    assert told in refusal.value.detail


@given(st.text(alphabet="0123456789.+-*/%() eE_", max_size=60))
def test_any_text_is_worked_out_or_refused(expression: str) -> None:
    try:
        answer = evaluate(expression)
    except ToolError as refusal:
        assert refusal.detail
    else:
        assert set(answer) <= {"result", "exact", "fraction"}
