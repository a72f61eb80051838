"""The page says what it was given and no more, is well formed, loads nothing and runs nobody else's words."""

import hashlib
import json
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import polars as pl
import pytest
import torch
import torchmetrics.classification

from grapevine.errors import InputError
from grapevine.graph import Graph
from grapevine.report import (
    ClassAnswers,
    Comparison,
    Embeddings,
    Headline,
    ModelRow,
    NumberAnswers,
    ReportData,
    Score,
    TrainingLogs,
    graph_statistics,
)
from grapevine.report.page import render_report, write_report
from grapevine.report.sections import comparison_blocks, sections_of, verdict
from grapevine.train.calibration import coverage, reliability
from tests.report.cases import EVIL, class_answers, full, log, number_answers, only

_VOID = {"meta", "link", "br", "img", "input", "hr", "circle", "path", "use", "rect"}


class _Page(HTMLParser):
    """Checks that what opens closes, and collects the tags, their attributes and the words."""

    def __init__(self, text: str):
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture(scope="module")
def page() -> str:
    return render_report(full())


def test_the_page_is_well_formed_and_whole(page):
    parsed = _Page(page)
    assert page.startswith("<!doctype html>")
    titles = [section.title for section in sections_of(full())]
    assert titles == [
        "Models compared", "Answers: field, test", "Answers: link, test", "Answers: energy, test", "All scores",
        "Embeddings", "Training", "Health of the network", "The graph", "Problems in the data", "Configuration",
    ]  # fmt: skip
    assert all(title in parsed.words for title in titles)
    links = [attrs["href"] for tag, attrs in parsed.tags if tag == "a"]
    ids = [attrs["id"] for _, attrs in parsed.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert [link.removeprefix("#") for link in links] == [section.name for section in sections_of(full())]
    assert set(re.findall(r"(?:url\(|href=\")#([^)\"]+)", page)) <= set(ids)


def test_it_loads_nothing(page):
    parsed = _Page(page)
    for _, attrs in parsed.tags:
        for name in ("src", "href", "xlink:href", "data", "action", "srcset"):
            assert (attrs.get(name) or "#").startswith("#")
        assert not any(name.startswith("on") for name in attrs)
    assert {"script", "link", "img", "iframe", "object", "base"}.isdisjoint({tag for tag, _ in parsed.tags})
    style = page[page.index("<style>") : page.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style
    assert page.count("<style") == 1


def test_words_of_the_user_stay_words(page):
    parsed = _Page(page)
    said = " ".join(parsed.words) + " ".join(str(value) for _, attrs in parsed.tags for value in attrs.values())
    assert said.count('<script>alert("$x^$")') > 10
    assert f"title {EVIL}" in said
    assert f"leak {EVIL}" in said


def test_every_picture_says_what_it_shows(page):
    parsed = _Page(page)
    pictures = [attrs for _, attrs in parsed.tags if attrs.get("role") == "img"]
    assert len(pictures) == page.count("<figcaption>") - 2  # the confusion matrices are tables
    assert all(len(attrs["aria-label"] or "") > 10 for attrs in pictures)
    assert "mathdefault" not in page


def test_the_same_data_give_the_same_page(page):
    assert render_report(full()) == page
    code = "from tests.report.cases import full; from grapevine.report.page import render_report; import hashlib; "
    code += "print(hashlib.sha256(render_report(full()).encode()).hexdigest())"
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()
    assert told == hashlib.sha256(page.encode()).hexdigest()


@pytest.mark.parametrize(
    ("part", "titles"),
    [
        ("question", []),
        ("headline", []),
        ("scores", ["All scores"]),
        ("comparison", ["Models compared"]),
        ("training", ["Training", "Health of the network"]),
        ("answers", ["Answers: field, test", "Answers: link, test", "Answers: energy, test"]),
        ("embeddings", ["Embeddings"]),
        ("graph", ["The graph"]),
        ("problems", ["Problems in the data"]),
        ("configuration", ["Configuration"]),
        ("environment", ["Configuration"]),
    ],
)
def test_a_section_appears_with_its_data_and_not_without(part, titles):
    data = only(part)
    assert [section.title for section in sections_of(data)] == titles
    _Page(render_report(data))


def test_an_empty_report_is_a_page(tmp_path):
    write_report(ReportData("nothing"), tmp_path / "report.html")
    assert "<section" not in (tmp_path / "report.html").read_text()


def _kinds(data: ReportData) -> set[str]:
    return {getattr(block, "title", "") for section in sections_of(data) for block in section.blocks}


def test_two_classes_have_a_roc_curve_and_more_have_none():
    assert {"ROC curve", "Precision and recall"} <= _kinds(ReportData("x", answers=(class_answers(2),)))
    assert "ROC curve" not in _kinds(ReportData("x", answers=(class_answers(3),)))


def test_what_is_not_there_is_not_drawn():
    short = log().select("epoch", "loss")
    assert _kinds(ReportData("x", training=TrainingLogs((short,), (None,)))) == {"Loss"}
    silent = replace(number_answers(), spread=None)
    assert "Calibration of the spread" not in _kinds(ReportData("x", answers=(silent,)))
    unknown = replace(class_answers(), target=np.full(60, -1))
    assert sections_of(ReportData("x", answers=(unknown,))) == []


@pytest.mark.parametrize("num_items", [1, 2, 5])
def test_few_items_are_drawn_too(num_items):
    y = np.zeros(num_items, int)
    one = ClassAnswers("c", "test", ("a", "b"), y, np.tile([0.7, 0.3], (num_items, 1)))
    number = NumberAnswers("n", "test", np.ones(num_items), np.ones(num_items), np.zeros(num_items))
    points = Embeddings(np.ones((num_items, 1)), np.ones(num_items), method="tsne")
    graph = graph_statistics(Graph(torch.zeros(2, 0, dtype=torch.long), num_nodes=num_items), torch.from_numpy(y))
    training = TrainingLogs((pl.DataFrame({"epoch": [1], "loss": [float("nan")]}),), (1,))
    page = render_report(ReportData("x", answers=(one, number), embeddings=points, graph=graph, training=training))
    assert {"Confusion matrix"} <= _kinds(ReportData("x", answers=(one, number)))
    _Page(page)  # every tag that opens closes


def test_a_collection_shows_its_sizes():
    graphs = Graph.batch([Graph([[0, 1], [1, 0]], num_nodes=n) for n in (2, 3, 5)])
    data = ReportData("x", graph=graph_statistics(graphs, torch.tensor([0, 1, 1])))
    assert {"Sizes", "Classes"} <= _kinds(data)
    assert "Degrees" in _kinds(data)


def test_all_within_one_deviation_of_the_best_are_marked():
    rows = tuple(ModelRow(n, Score(m, s)) for n, m, s in (("a", 0.7, 0.11), ("b", 0.8, 0.02), ("c", 0.785, 0.01)))
    table = comparison_blocks(Comparison("accuracy", "test", rows, "b"))[0]
    assert [row[0] for row in table.rows] == ["b (chosen)", "c", "a"]
    assert table.marked == {0, 1}
    lower = comparison_blocks(Comparison("error", "test", rows, "b", is_higher_better=False))[0]
    assert [row[0] for row in lower.rows] == ["a", "c", "b (chosen)"]
    assert lower.marked == {0, 1, 2}  # the spread of a is wide


@pytest.mark.parametrize(
    ("mean", "std", "base", "severity", "word"),
    [
        (0.8, 0.01, 0.6, "good", "Better"),
        (0.8, 0.01, 0.795, "warning", "within the spread"),
        (0.6, 0.01, 0.8, "warning", "Worse"),
        (0.8, None, 0.6, "info", "Trained once"),
        (0.8, None, 0.8, "info", "As good as"),
    ],
)
def test_the_verdict_is_honest(mean, std, base, severity, word):
    note = verdict(ReportData("x", headline=Headline("a", "test", Score(mean, std), baselines={"m": Score(base)})))
    assert note is not None
    assert note.severity == severity
    assert word in note.text
    assert verdict(ReportData("x", headline=Headline("a", "test", Score(mean, std)))) is None


def test_calibration_is_that_of_torchmetrics():
    answers = class_answers(4, 500)
    known = answers.target >= 0
    ours = reliability(torch.from_numpy(answers.probability), torch.from_numpy(answers.target))
    metric = torchmetrics.classification.MulticlassCalibrationError(4, n_bins=15, norm="l1")
    theirs = metric(torch.from_numpy(answers.probability[known]), torch.from_numpy(answers.target[known]))
    assert ours.ece == pytest.approx(theirs.item(), abs=1e-6)
    assert sum(ours.count) == known.sum()


def test_normal_errors_are_covered_as_often_as_claimed():
    noise = np.random.default_rng(0).normal(size=50_000)
    levels = np.array([0.5, 0.6827, 0.95])
    found = coverage(torch.from_numpy(3 * noise), torch.full((50_000,), 3.0), levels=levels.tolist())
    np.testing.assert_allclose(found.observed, levels, atol=0.01)


def test_a_large_graph_stays_a_small_page():
    generator, n = np.random.default_rng(0), 100_000
    graph = Graph(torch.from_numpy(generator.integers(0, n, (2, 300_000))), num_nodes=n)
    y = generator.normal(size=n)
    data = ReportData(
        "large",
        answers=(NumberAnswers("y", "test", y, y + 0.1, np.ones(n)),),
        embeddings=Embeddings(generator.normal(size=(n, 16)), y, method="pca"),
        graph=graph_statistics(graph, torch.from_numpy(y)),
        training=TrainingLogs((log(length=5000),) * 10, (9,) * 10),
    )
    assert len(render_report(data)) < 3_000_000


def test_what_does_not_fit_is_refused():
    with pytest.raises(InputError, match=r"probabilities must be of shape \(3, 2\), got \(3, 1\)"):
        ClassAnswers("c", "test", ("a", "b"), np.zeros(3, int), np.ones((3, 1)))
    with pytest.raises(InputError, match="a prediction for each of the 3 targets"):
        NumberAnswers("n", "test", np.zeros(3), np.zeros(2))
    with pytest.raises(InputError, match="the column epoch"):
        TrainingLogs((pl.DataFrame({"loss": [1.0]}),), (None,))
    with pytest.raises(InputError, match="its best epoch"):
        TrainingLogs((log(),), ())


def test_a_report_is_written_from_what_json_can_not_say():
    data = ReportData("x", scores={"test": {"auc": float("nan"), "mrr": float("inf")}})
    assert json.dumps(render_report(data))
