"""What the chosen model said of each target: its confusions or its errors, its calibration, its hardest mistakes."""

from typing import Any

import numpy as np
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from grapevine.report.blocks import Block, Heat, Section, Table, Text, figure_of, percent, shortened
from grapevine.report.data import ClassAnswers, NumberAnswers
from grapevine.report.figures import coverage_curve, parity, reliability_diagram, roc

_CLASSES = 40  # shown in a table of confusions; beyond, the largest ones
_TARGETS = 4  # of which the answers are shown
_HARDEST = 12  # classes
_MISTAKES = 12


def answer_sections(answers: tuple[ClassAnswers | NumberAnswers, ...]) -> list[Section]:
    """A section for each of the first targets; one without a known target has no blocks."""
    return [_section(k, one, len(answers)) for k, one in enumerate(answers[:_TARGETS])]


def _section(k: int, answers: ClassAnswers | NumberAnswers, total: int) -> Section:
    blocks = _class_blocks(answers, str(k)) if isinstance(answers, ClassAnswers) else _number_blocks(answers, str(k))
    if blocks and total > _TARGETS and k == 0:
        blocks.insert(0, Text(f"Of {total} targets the first {_TARGETS} are shown."))
    name = f"{shortened(answers.name)}, " if answers.name else ""
    return Section(f"answers-{k}", f"Answers: {name}{answers.part}", blocks)


def _class_blocks(answers: ClassAnswers, key: str) -> list[Block]:
    known = answers.target >= 0
    if not known.any():
        return []
    target, guess = answers.target[known], answers.probability[known].argmax(1)
    blocks: list[Block] = [_heat(answers, target, guess)]
    if len(answers.class_names) == 2 and len(np.unique(target)) == 2:
        blocks += roc(answers, key)
    blocks += [reliability_diagram(answers, key), *_by_class(answers, target, guess)]
    return blocks + _confident_mistakes(answers)


def _heat(answers: ClassAnswers, target: np.ndarray, guess: np.ndarray) -> Heat:
    num = len(answers.class_names)
    count = np.bincount(target, minlength=num)
    shown = np.sort(np.argsort(-count, kind="stable")[:_CLASSES])
    matrix = confusion_matrix(target, guess, labels=shown)
    shares = np.round(100 * matrix / np.maximum(count[shown, None], 1)).astype(int)
    names = tuple(shortened(answers.class_names[c], 24) for c in shown)
    off = np.where(np.eye(len(shown), dtype=bool), 0, matrix)
    i, j = np.unravel_index(off.argmax(), off.shape)
    most = f" Most often, {names[i]} is taken for {names[j]} ({off[i, j]} times)." if off.max() > 0 else " No mistake."
    left = f" Shown are the {_CLASSES} largest of {num} classes." if num > _CLASSES else ""
    caption = f"Rows are what is so, columns what the model says, in percent of the row.{most}{left}"
    right = percent(float((target == guess).mean()))
    counts, percents = (tuple(map(tuple, table.tolist())) for table in (matrix, shares))
    alt = f"Confusion matrix of {num} classes; {right} are right."
    return Heat("Confusion matrix", names, counts, percents, caption, alt)


def _by_class(answers: ClassAnswers, target: np.ndarray, guess: np.ndarray) -> list[Block]:
    num = len(answers.class_names)
    found: Any = precision_recall_fscore_support(target, guess, labels=np.arange(num), zero_division=0.0)  # pyright: ignore
    precision, recall, f1, count = found
    order = np.argsort(f1, kind="stable")
    order = order[count[order] > 0]
    rows = tuple(
        (shortened(answers.class_names[c]), f"{count[c]:,}", percent(precision[c]), percent(recall[c]), percent(f1[c]))
        for c in order[:_HARDEST]
    )
    columns = ("class", "items", "precision", "recall", "F1")
    caption = (
        f"The hardest {'first' if len(order) <= _HARDEST else f'{_HARDEST} of {len(order)}'}. "
        "Precision: right, of those called so. Recall: found, of those that are so. F1: their harmonic mean."
    )
    return [Table("Class by class", columns, rows, caption, is_wide=False)]


def _confident_mistakes(answers: ClassAnswers) -> list[Block]:
    guess = answers.probability.argmax(1)
    wrong = np.flatnonzero((answers.target >= 0) & (guess != answers.target))
    if len(wrong) == 0:
        return []
    sure = answers.probability.max(1)
    names = answers.class_names
    rows = tuple(
        (*_who(answers, k), shortened(names[answers.target[k]]), shortened(names[guess[k]]), percent(float(sure[k])))
        for k in wrong[np.argsort(-sure[wrong], kind="stable")[:_MISTAKES]]
    )
    caption = f"The surest of {len(wrong):,} mistakes; where the model is sure and wrong, look at the labels too."
    columns = (*_who_columns(answers), "it is", "the model says", "sure")
    return [Table("The hardest mistakes", columns, rows, caption, words=len(columns) - 1)]


def _number_blocks(answers: NumberAnswers, key: str) -> list[Block]:
    known = np.isfinite(answers.target) & np.isfinite(answers.prediction)
    if not known.any():
        return []
    rows = np.flatnonzero(known)
    distance = np.abs(answers.prediction - answers.target)
    worst = rows[np.argsort(-distance[rows], kind="stable")[:_MISTAKES]]
    who = _who_columns(answers)
    columns = [*who, "target", "prediction", "error"] + ["claimed spread"] * (answers.spread is not None)
    values = [answers.target, answers.prediction, distance, *([] if answers.spread is None else [answers.spread])]
    cells = tuple((*_who(answers, k), *(figure_of(float(column[k])) for column in values)) for k in worst)
    unit = f" All in {answers.unit}." if answers.unit else ""
    caption = f"The largest errors; where the model is far off, look at the targets too.{unit}"
    claimed = coverage_curve(answers, key)
    table = Table(
        "The hardest mistakes", tuple(columns), cells, caption, words=len(who), is_wide=claimed is None or len(who) > 1
    )
    return [*parity(answers, key), *([] if claimed is None else [claimed]), table]


def _who_columns(answers: ClassAnswers | NumberAnswers) -> tuple[str, ...]:
    return ("item",) if answers.smiles is None else ("item", "SMILES")


def _who(answers: ClassAnswers | NumberAnswers, k: int) -> tuple[str, ...]:
    """What the user calls an item, and of a molecule its SMILES."""
    name = shortened(k if answers.ids is None else answers.ids[k])
    return (name,) if answers.smiles is None else (name, shortened(answers.smiles[k], 60))
