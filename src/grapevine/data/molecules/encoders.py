"""What a model of molecules was trained on: all that new molecules must be read by to fit it."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from grapevine.data.molecules.features import atom_names, bond_names
from grapevine.data.molecules.spec import MoleculeSpec
from grapevine.data.tables.encoder import Encoder
from grapevine.data.tables.target import Target
from grapevine.errors import InputError


class MoleculeEncoders(BaseModel):
    """All that new molecules must be read by to fit a trained model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    spec: MoleculeSpec
    features: Encoder | None = None
    target: Target | None = None

    @property
    def atom_names(self) -> list[str]:
        """What each number of x is called."""
        return atom_names(self.spec.feature_set)

    @property
    def bond_names(self) -> list[str]:
        """What each number of edge_attr is called."""
        return bond_names(self.spec.feature_set)

    @property
    def feature_names(self) -> list[str]:
        """What each number of `features` is called."""
        return [] if self.features is None else self.features.names

    def to_dict(self) -> dict[str, Any]:
        """As dictionaries, lists, strings and numbers: ready for JSON."""
        return self.model_dump(mode="json")

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "MoleculeEncoders":
        """What `to_dict` gave.

        Raises:
            InputError: if it is something else.
        """
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            raise InputError(f"these are no saved encoders of molecules: {error.errors()[0]['msg']}") from error
