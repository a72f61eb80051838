"""The page of a diagnosis says what was found, loads nothing, and runs nobody else's words."""

from dataclasses import replace

import numpy as np
import pytest

from grapevine.report.data import Score
from grapevine.report.diagnosis.data import Attempt, Attempts, Diagnosis, Drawing, Limit, Power, Remark, Remedy, Twins
from grapevine.report.diagnosis.graph_drawing import layout, write_drawing
from grapevine.report.diagnosis.page import render_diagnosis, write_diagnosis
from grapevine.report.diagnosis.pictures import pictures_of
from grapevine.report.diagnosis.sections import sections_of
from tests.report.cases import EVIL
from tests.report.test_page import _Page

RING = Drawing("graph 0", 6, np.array([[0, 1, 2, 3, 4, 0], [1, 2, 3, 4, 5, 5]]), np.zeros(6, int))
TRIANGLES = Drawing("graph 1", 6, np.array([[0, 0, 1, 3, 3, 4], [1, 2, 2, 4, 5, 5]]), np.zeros(6, int))


def limit(told: str, test: str, best: float, alike: int = 3) -> Limit:
    return Limit(told, test, "all", 2, alike, {"all": best, "test": best})


def power() -> Power:
    limits = (
        limit("edges alone", "1-WL", 0.5, 4), limit("edges alone, rwpe:16", "1-WL", 1.0, 0),
        limit("edges alone", "distance-WL", 1.0, 0), Limit("edges alone", "3-FWL", "all", note="not made: too much"),
    )  # fmt: skip
    twins = Twins("graph", "edges alone", (RING, TRIANGLES), (f"a {EVIL}", "b"), ("distance-WL",), ("1-WL",), False)
    return Power("graphs", 4, "accuracy", limits, 0, twins, {"test": 0.5})


def diagnosis(**changes) -> Diagnosis:
    found = Diagnosis(
        f"rings {EVIL}", False, "Asked is an answer.", "graph", None, "accuracy", {}, power(), None, None, None,
        (Remark("error", "expressive power", f"at most a half {EVIL}"),),
        (Remedy("encode rwpe:16", "it lifts the bound", "grapevine train rings --encode rwpe:16"),), None,
        ("depth was not measured",),
    )  # fmt: skip
    return replace(found, **changes)


def tried() -> Attempts:
    rows = (
        Attempt("encode rwpe:16", "grapevine train rings --encode rwpe:16", Score(0.9, 0.01), 3, 2.0, 0.4, True),
        Attempt("deeper", "grapevine train rings --layers 8", None, note="not tried: the budget was spent"),
    )
    baseline = Attempt("gin", "grapevine train rings", Score(0.5, 0.02), 3, 1.0)
    return Attempts("accuracy", True, 5.0, baseline, rows, 0, (Score(0.9), Score(0.5)), "encode rwpe:16 helped")


def test_it_is_well_formed_and_loads_nothing():
    page = render_diagnosis(diagnosis(attempts=tried()))
    parsed = _Page(page)
    assert not {"script", "link", "iframe", "img"} & {tag for tag, _ in parsed.tags}
    assert not [attrs for _, attrs in parsed.tags if "src" in attrs or (attrs.get("href") or "#")[0] != "#"]
    assert '<script>alert("$x^$")' in " ".join(parsed.words)
    assert render_diagnosis(diagnosis(attempts=tried())) == page


def test_pictures_come_first_then_the_verdict_then_what_to_try():
    titles = [section.title for section in sections_of(diagnosis())]
    assert titles == ["What was found", "Verdict", "What to try", "What can not be told apart", "What was not measured"]


def test_what_is_not_there_is_left_out():
    bare = diagnosis(power=None, verdict=(), remedies=(), skipped=())
    assert sections_of(bare) == []
    assert "<section" not in render_diagnosis(bare)


def test_two_that_are_alike_are_told_of():
    picture = pictures_of(diagnosis())[0]
    assert "one of them it must get wrong" in picture.caption
    assert "distance-WL tells them apart" in picture.caption
    same = replace(power(), twins=replace(power().twins, are_same=True, separated_by=(), answers=None))
    assert "one and the same graph" in pictures_of(diagnosis(power=same))[0].caption


def test_limits_that_are_equal_stand_together():
    limits = (*power().limits[:1], limit("edges alone", "features", 0.5, 4), *power().limits[1:])
    names = [name for name, _ in replace(power(), limits=limits).together]
    assert "rwpe:16, distance-WL · edges alone" in names
    bars = pictures_of(diagnosis())[1]
    assert ("the run, test part", 50.0, "50.0 %") in bars.rows


def test_without_answers_classes_are_counted():
    limits = tuple(replace(one, best={}) for one in power().limits)
    bars = pictures_of(diagnosis(power=replace(power(), measure="", limits=limits)))[1]
    assert bars.rows[0][2] == "4 of 4"


def test_what_was_tried_stands_beside_its_command():
    page = render_diagnosis(diagnosis(attempts=tried()))
    assert "helped: 0.900 ± 0.010 (+0.4)" in page
    assert "encode rwpe:16 helped" in page


@pytest.mark.parametrize("drawing", [RING, TRIANGLES, Drawing("", 1, np.zeros((2, 0), int), np.zeros(1, int))])
def test_a_layout_keeps_nodes_apart(drawing):
    places = layout(drawing)
    assert places.shape == (drawing.num_nodes, 2)
    assert np.isfinite(places).all()
    gaps = np.linalg.norm(places[:, None] - places[None], axis=2) + 9 * np.eye(drawing.num_nodes)
    assert gaps.min() > 0.1
    assert np.array_equal(layout(drawing), places)


def test_files(tmp_path):
    write_diagnosis(diagnosis(), tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    write_drawing([RING, TRIANGLES], tmp_path / "pair.png")
    assert (tmp_path / "pair.png").read_bytes()[1:4] == b"PNG"
