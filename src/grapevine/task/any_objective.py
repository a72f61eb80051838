"""The objectives that a run's configuration can name, told apart by their `kind`."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias

from pydantic import Field, TypeAdapter, ValidationError

from grapevine.errors import InputError
from grapevine.task.link_objective import Link
from grapevine.task.multi_label import MultiLabel
from grapevine.task.regression import Regression
from grapevine.task.single_label import SingleLabel

AnyObjective: TypeAlias = Annotated[SingleLabel | MultiLabel | Regression | Link, Field(discriminator="kind")]


def read_objective(saved: Mapping[str, Any]) -> AnyObjective:
    """The objective that `model_dump` wrote.

    Raises:
        InputError: if it is none, with what is wrong.

    >>> read_objective({"kind": "single_label", "num_classes": 3})
    SingleLabel(metric='accuracy', kind='single_label', num_classes=3, class_weights=None, label_smoothing=0.0)
    """
    try:
        return TypeAdapter(AnyObjective).validate_python(dict(saved))
    except ValidationError as error:
        raise InputError(f"this is no objective: {in_words(error)}") from None


def in_words(error: ValidationError) -> str:
    """What pydantic found, in one line."""
    found = error.errors(include_url=False, include_context=False)
    return "; ".join(f"{'.'.join(map(str, one['loc'])) or 'it'}: {one['msg']}" for one in found)
