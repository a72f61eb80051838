"""The page of the one equation is what the code says, names every architecture once, and renders as it is meant."""

import re

import pytest
from markdown_it import MarkdownIt
from scripts import one_equation
from scripts.one_equation import ALONE, COLUMNS, PAGE, ROOT, Architecture, architectures, is_current, page, table

import grapevine.nn as gnn
from grapevine.nn import equivariant as atoms
from grapevine.recipes.atoms.config import POTENTIALS
from grapevine.recipes.models import MODELS


def cells_of(markdown: str) -> list[list[str]]:
    """The words in the cells of each row of the page's tables, as a reader sees them, by a parser of Markdown."""
    rows: list[list[str]] = []
    for token in MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(markdown):
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline" and rows and token.level == 4:  # in a cell of a row of the body or the head
            children = token.children or []
            assert all(child.type not in ("em_open", "strong_open", "s_open") for child in children), token.content
            rows[-1].append("".join(child.content for child in children))
    return rows


def test_it_is_what_the_code_says():
    assert is_current(), "docs/one-equation.md is out of date: run python scripts/one_equation.py"


def test_another_page_is_not(tmp_path):
    assert not is_current(tmp_path / "none.md")
    (tmp_path / "old.md").write_text(page().replace("W m_i + b", "W m_i"))
    assert not is_current(tmp_path / "old.md")


def test_the_command_says_whether_it_is(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(one_equation, "is_current", lambda: False)
    assert one_equation.main(["--check"]) == 1
    assert "run scripts/one_equation.py" in capsys.readouterr().out
    assert one_equation.main(["--what"]) == 2


def test_a_reader_sees_what_the_code_says():
    head, *rows = cells_of(page())
    assert head == [column.strip("`") for column in COLUMNS]
    rows.remove(head)  # of the second table
    for seen, row in zip(rows, [*architectures(), *architectures(atoms)], strict=True):
        one = row.equation
        wanted = [one.message, one.aggregation, one.update, one.edges, one.readout or "of nodes only", one.cost]
        assert seen[1:] == [*wanted, one.power, str(one.year), one.paper, row.model]
        assert seen[0].startswith(one.name)
        assert all(kind.__name__ in seen[0] for kind in row.classes)


def test_marks_of_markdown_are_shown_as_they_are():
    one = architectures()[0].equation
    odd = type(one)(**{**vars(one), "message": "|h_j| * a_j * b_j", "update": "~x~ <b> \\ [y](z)"})
    (_, seen) = cells_of(table([Architecture(odd, (gnn.GCNConv,))]))
    assert seen[1] == odd.message
    assert seen[3] == odd.update


def test_every_architecture_is_there_once():
    """Layers and encoders of no paper are made of others: they have no equation of their own."""
    listed = [kind for row in architectures() for kind in row.classes]
    faces = (gnn.Conv, gnn.NodeEdgeLayer, gnn.Encoder)
    made_of_others = {gnn.LinearConv, gnn.GNN, gnn.NodeEdgeStack, gnn.ResidualBlock}
    made_of_others |= {gnn.DropMessage, gnn.Dropped, gnn.JumpingNetwork, gnn.FullyAdjacent, gnn.VirtualNode}
    public = [getattr(gnn, name) for name in gnn.__all__]
    layers = {kind for kind in public if isinstance(kind, type) and issubclass(kind, faces)}
    wanted = layers - set(faces) - made_of_others
    assert len(listed) == len(set(listed))
    assert wanted <= set(listed)
    names = [row.equation.name for row in architectures()]
    assert len(names) == len(set(names))
    assert {"GCN", "GraphSAGE", "GAT", "GATv2", "GIN", "GINE", "MLP messages", "Spectral network"} <= set(names)


def test_the_command_trains_every_model_of_it():
    models = [row.model for row in architectures() if row.model]
    assert sorted([*models, ALONE]) == sorted(MODELS)
    assert sorted(row.model for row in architectures(atoms)) == sorted(POTENTIALS)


def test_links_lead_somewhere():
    links = re.findall(r"\]\(([^)]+)\)", PAGE.read_text(encoding="utf-8"))
    assert len(links) > len(architectures())
    assert [link for link in links if not (PAGE.parent / link).is_file()] == []
    assert all((PAGE.parent / link).resolve().is_relative_to(ROOT) for link in links)


@pytest.mark.parametrize("row", architectures(), ids=lambda row: row.equation.name)
def test_costs_are_written_alike(row):
    """Sums of products of n, e, c and letters that are explained behind a comma."""
    for cost in row.equation.cost.split("; "):
        sums, _, rest = cost.partition(" for ")
        sums, *letters = sums.split(", ")
        used = set()
        for product in sums.split(" + "):
            assert re.fullmatch(r"([A-Za-z](\^2)? )*[A-Za-z](\^2)?", product), product
            used |= set(product.replace("^2", "").split())
        explained = {letter for words in letters for letter in re.findall(r"\b[KTtkp]\b", words)}
        assert used - {"n", "e", "c"} == explained
        assert rest or "for" not in cost
