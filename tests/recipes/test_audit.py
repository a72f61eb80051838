"""The audit as a recipe: of a run its own split, of data the split that a training would have."""

import pytest

from grapevine.data.split import SplitRule
from grapevine.errors import InputError
from grapevine.recipes.audit import audit
from grapevine.recipes.config import TaskConfig
from grapevine.recipes.source import Source
from tests.recipes.people import source_of, trained_on, write_people


def test_a_planted_leak_is_found_under_the_users_name(tmp_path):
    people, friends = write_people(tmp_path)
    rows = people.read_text().splitlines()
    told = [rows[0] + ",code"] + [f"{row},{'7' if ',red,' in row else '3'}" for row in rows[1:]]
    people.write_text("\n".join(told) + "\n")
    report = audit(source_of(people, friends, drop=("height", "age")))
    assert "telling_feature" in report.kinds()
    assert any("code" in str(example) for one in report.leaks for example in one.examples)
    assert "telling_feature" not in audit(source_of(people, friends, drop=("height", "age", "code"))).kinds()


def test_a_run_is_looked_at_with_its_own_split(tmp_path):
    run = trained_on(source_of(*write_people(tmp_path), drop=("height", "age")), tmp_path / "runs")
    assert audit(run.folder) == audit(run.config.source, task=run.config.task)


def test_links_and_other_splits(tmp_path):
    source = source_of(*write_people(tmp_path), level="link")
    report = audit(source)
    assert report.leaks == ()
    assert "message edges" in report.checked
    task = TaskConfig(split=SplitRule(kind="random", seed=3))
    assert "components" in audit(Source(dataset="karate"), task=task).checked


def test_no_run_is_refused(tmp_path):
    with pytest.raises(InputError, match="there is no run folder"):
        audit(tmp_path / "absent")
