from __future__ import annotations

from runner.diagnostics.html_tables import html_table


def test_a_table_is_escaped_and_short(monkeypatch):
    monkeypatch.setenv("GMI_API_KEY", "sk-secret-0123456789")
    rows = [("<script>", 1234567, 0.25, None, True)] * 30
    page = html_table("a & b sk-secret-0123456789", ("name", "number", "x", "y", "z"), rows)
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "a &amp; b" in page
    assert "sk-secret" not in page
    assert (page.count("<tr>"), page.count(">1,234,567<"), page.count(">0.25<"), page.count(">True<")) == (
        21,
        20,
        20,
        20,
    )
    assert "... and 10 more" in page
    assert "x" * 81 not in html_table("", ("a",), [("x" * 500,)])
