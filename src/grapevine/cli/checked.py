"""What was given in words, checked and taken apart."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from grapevine.errors import InputError
from grapevine.task.any_objective import in_words

Model = TypeVar("Model", bound=BaseModel)


def valid(kind: type[Model], fields: Mapping[str, Any]) -> Model:
    """A model of pydantic, what is wrong as an InputError."""
    try:
        return kind.model_validate(dict(fields))
    except ValidationError as error:
        raise InputError(f"this can not be: {in_words(error)}") from None


def words(given: list[str] | None) -> tuple[str, ...]:
    """Names that were given one by one or by commas."""
    return tuple(part.strip() for word in given or () for part in word.split(",") if part.strip())
