"""The documents cannot drift: their commands and their code are run, their names exist."""

import doctest
import re

import pytest
from examples_in_docs import DOCUMENTS, EXAMPLES, ROOT, blocks, output_of

from offby.losses import distance
from offby.measures.names import by_name, known_names

RUN = [block for document in DOCUMENTS for block in blocks(document)]
CONSOLES = [block for block in RUN if block.language == "console"]
WRITTEN_WITH = {"CONTRIBUTING.md": vars(distance)}  # a file of ours is shown in part
SHELLS = ("sh", "")  # set-up, shown and not run


def test_blocks_are_of_a_kind_that_is_run():
    assert {block.language for block in RUN} <= {"console", "python", *SHELLS}
    assert len(CONSOLES) >= 3


@pytest.mark.parametrize("block", CONSOLES, ids=str)
def test_commands_print_what_is_shown(block):
    assert block.commands
    for command, shown in block.commands:
        assert shown.strip(), f"run python {ROOT / 'tests' / 'examples_in_docs.py'} to fill it in"
        assert output_of(command).strip("\n") == shown.strip("\n"), (
            f"{block}: if that is meant, run python tests/examples_in_docs.py"
        )


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: str(d.relative_to(ROOT)))
def test_code_gives_what_is_shown(document, monkeypatch):
    """All Python of a document is one session, run among the examples."""
    monkeypatch.chdir(EXAMPLES)
    session = dict(WRITTEN_WITH.get(document.name, {}))
    runner = doctest.DocTestRunner(verbose=False)
    for block in blocks(document):
        if block.language == "python" and ">>>" in block.text:
            test = doctest.DocTestParser().get_doctest(
                block.text, session, str(block), str(document), block.line
            )
            said = []
            runner.run(test, out=said.append, clear_globs=False)
            assert not said, "".join(said)
            session = test.globs
        elif block.language == "python":
            exec(compile(block.text, str(block), "exec"), session)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: str(d.relative_to(ROOT)))
def test_links_lead_somewhere(document):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", document.read_text(encoding="utf-8")):
        assert (document.parent / target).exists(), target


def documented_names():
    """The names in the first columns of docs/measures.md, with numbers for Greek letters."""
    text = (ROOT / "docs" / "measures.md").read_text(encoding="utf-8")
    for row in re.findall(r"^\| (`[^|]*) \|", text, re.MULTILINE):
        for name in re.findall(r"`([^`]+)`", row):
            yield re.sub(r":(\D)$", ":1.5" if name.startswith("tweedie") else ":0.5", name)


def test_documented_measures_exist_and_all_are_documented():
    told = list(documented_names())
    for name in told:
        assert by_name(name).name == name
    missing = {name.partition(":")[0] for name in known_names()} - {
        name.partition(":")[0] for name in told
    }
    assert missing == set()
