from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_builder.tools.page_text import page_text


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("", ""),
        ("plain", "plain"),
        ("<h1>Title</h1><p>One <b>two</b>\n three</p>", "Title\nOne two\nthree"),
        ("a<script>var x = '<p>no</p>';</script>b", "a b"),
        ("a<SCRIPT src=x></Script >b", "a b"),
        ("a<style>p {}</style>b<!-- <p>no</p> -->c", "a bc"),
        ("a<script>never ends", "a"),
        ("a<!-- never ends", "a"),
        ("a<b never ends", "a"),
        ("1 < 2 &lt; 3 &amp; 4", "1 < 2 < 3 & 4"),
        ("<ul><li>x<li>y</ul>", "x\ny"),
        ("<br/>a<br>b", "a\nb"),
        ("<svg/>a<svg><text>no</text></svg>b", "a b"),
        ("<?xml version='1.0'?><!doctype html>a", "a"),
        ("İ<script>x</script>y", "İ y"),
    ],
)
def test_what_a_page_says(page: str, text: str) -> None:
    assert page_text(page) == text


@pytest.mark.parametrize("piece", ["<", "<a", "<!--", "<script>", "<script", "</", "&", "&#", "<p", ">", "<a <"])
def test_nothing_takes_long(piece: str) -> None:
    page = piece * 400_000
    assert len(page_text(page)) <= len(page)


@given(st.text(alphabet="<>!-/abp &;", max_size=200))
def test_anything_is_read_and_nothing_grows(page: str) -> None:
    assert len(page_text(page)) <= len(page)
