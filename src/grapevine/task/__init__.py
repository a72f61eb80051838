"""Tasks: what is predicted, how wrong a prediction is, how good."""

from grapevine.task.any_objective import AnyObjective, read_objective
from grapevine.task.edge import EdgeTask
from grapevine.task.graph import GraphTask
from grapevine.task.infer import default_split, infer_objective
from grapevine.task.link import LinkTask
from grapevine.task.link_objective import Link
from grapevine.task.multi_label import MultiLabel
from grapevine.task.negatives import Negatives
from grapevine.task.node import NodeTask
from grapevine.task.objective import Objective
from grapevine.task.regression import Regression
from grapevine.task.single_label import SingleLabel, class_weights_of
from grapevine.task.task import PARTS, Answers, Batch, Part, Task

__all__ = [
    "PARTS",
    "Answers",
    "AnyObjective",
    "Batch",
    "EdgeTask",
    "GraphTask",
    "Link",
    "LinkTask",
    "MultiLabel",
    "Negatives",
    "NodeTask",
    "Objective",
    "Part",
    "Regression",
    "SingleLabel",
    "Task",
    "class_weights_of",
    "default_split",
    "infer_objective",
    "read_objective",
]
