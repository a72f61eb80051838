"""Recipes: a whole workflow as a function."""
