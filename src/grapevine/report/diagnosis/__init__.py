"""The page of a diagnosis: what its parts are, and how they are drawn and told."""
