from __future__ import annotations

from html.parser import HTMLParser

from runner.review.publishing.handover_page import handover_page


def test_what_others_wrote_is_text_on_the_page():
    page = handover_page("<script>alert(1)</script>", [], "Each & every file", is_sandbox=False)
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "Each &amp; every file" in page
    assert "script-src" not in page
    assert "default-src &#39;none&#39;" in page
    tags: list[str] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attributes: tags.append(tag)  # type: ignore[method-assign]
    parser.feed(page)
    assert {"h1", "main", "footer"} <= set(tags)
    assert "not AI video" in handover_page("x", [], "", is_sandbox=True)
