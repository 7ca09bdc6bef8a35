"""What is wrong with YAML, in words."""

import pytest

from runner.diagnostics.text import Text
from runner.errors import ManifestError
from runner.manifest.yaml.document import parse


@pytest.mark.parametrize(
    ("text", "place", "message", "hint"),
    [
        ("a:\n\tb: 1\n", (2, 1), "a tab cannot indent in YAML", "use spaces"),
        ("a: 1\n\tb: 2\n", (2, 1), "a tab cannot indent in YAML", "use spaces"),
        ("t: A shoe: red\n", (1, 10), "a value without quotes holds a second ': '", '"A shoe: red"'),
        ('"a: b": x: y\n', (1, 10), "a value without quotes holds a second ': '", '"x: y"'),
        ("a: [1, 2\nb: 3\n", (1, 4), "this [ is not closed", "noticed in line 2"),
        ("a: {x: 1\nb: 3\n", (1, 4), "this { is not closed", "noticed in line 2"),
        ("a: {x: 1 y: 2}\n", (1, 11), "a comma or } is missing before this", "separate the entries by commas"),
        ('a: "foo\nb: bar\n', (1, 4), 'this " is not closed', 'inside, write \\"'),
        ("a: 'foo\nb: bar\n", (1, 4), "this ' is not closed", "inside, write ''"),
        ("a: 'it's'\n", (1, 8), "the text goes on after its closing quote", "'' for a '"),
        ('a: "x" y\n', (1, 8), "the text goes on after its closing quote", '\\" for a "'),
        ('a: "C:\\path"\n', (1, 7), "\\p is no escape in double quotes", "single quotes"),
        ("a: @foo bar\n", (1, 4), "a value without quotes cannot begin with @", 'in quotes: "@foo"'),
        ("a: `foo`\n", (1, 4), "a value without quotes cannot begin with `", "`foo`"),
        ("a: *.png\n", (1, 4), "* begins an alias, and no anchor above is called '.png'", '"*.png"'),
        ("b: &shoe 1\na: *sho\n", (2, 4), "* begins an alias, and no anchor above is called 'sho'", "'shoe'"),
        ("a: *x\nb: &x 1\n", (1, 4), "* begins an alias, and no anchor above is called 'x'", "further down"),
        ("a: & b\n", (1, 4), "& begins an anchor, and its name is missing", "in quotes"),
        ("a: {{ x }} rock\n", (1, 4), "a template without quotes is a mapping in YAML", "{{ x }}"),
        ("- {t: a {{ x }} on y}\n", (1, 7), "a template without quotes is a mapping in YAML", "a {{ x }}"),
        ("a:\n  b: 1\n c: 2\n", (3, 2), "the indentation fits nothing above", "in one column"),
        ("a:\n  - x\n - y\n", (3, 2), "the indentation fits nothing above", "in one column"),
        ("a:\n  - id: x\n   text: y\n", (3, 4), "the indentation fits nothing above", "in one column"),
        ("a: 1\n  b: 2\n", (2, 3), "a key cannot stand here", "check the indentation"),
        ("a:1\nb: 2\n", (1, 1), "a space is missing after the colon", "write a: 1"),
        ("a: 1\nfoo bar\nb: 2\n", (2, 1), "this line is neither a key nor a value", "a colon and a space"),
        ("a: 1\n---\nb: 2\n", (2, 1), "a second document begins here", "one manifest a file"),
        ("a: 1\n...\nb: 2\n", (3, 1), "text stands after the end of the document", "delete"),
        ("a: |x\n  foo\n", (1, 5), "the text after | or > begins on the next line", "break the line"),
        ("a: - x\n", (1, 4), "a list item cannot stand here", "a line of its own"),
        ("a: [1,, 2]\n", (1, 7), ", stands where a value should", "delete it"),
        ("a: [x, #y]\n", (2, 1), "a value is missing here", "a # begins a comment"),
        ("a: x\0y\n", (1, 5), "the character U+0000 is not allowed in YAML", "delete it"),
        ("%YAML 2.0\n---\na: 1\n", (1, 1), "YAML cannot be read here: found incompatible YAML document", "check"),
        ("", (1, 1), "the manifest is empty", "reelrun init"),
        ("# x\n", (1, 1), "the manifest is empty", "reelrun init"),
    ],
)
def test_the_place_the_words_and_the_remedy(text, place, message, hint):
    with pytest.raises(ManifestError) as caught:
        parse(Text("m.yaml", text))
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "E102"
    assert (diagnostic.position.line, diagnostic.position.column) == place
    assert diagnostic.message == message
    assert hint in diagnostic.hint


def test_quoted_templates_are_not_blamed():
    with pytest.raises(ManifestError) as caught:
        parse(Text("m.yaml", 'a: "{{ x }}" y\n'))
    assert "closing quote" in caught.value.diagnostics[0].message
