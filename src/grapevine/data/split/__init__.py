"""Splits: which nodes, graphs or edges teach, which choose and which judge."""

from grapevine.data.split.by_component import component_split
from grapevine.data.split.by_time import time_split
from grapevine.data.split.folds import k_fold
from grapevine.data.split.link import LinkSplit, link_split
from grapevine.data.split.rule import SPLIT_KINDS, SplitKind, SplitRule, make_split
from grapevine.data.split.shares import per_class, random_split, stratified_split
from grapevine.data.split.split import Split, is_known, mask_of

__all__ = [
    "SPLIT_KINDS",
    "LinkSplit",
    "Split",
    "SplitKind",
    "SplitRule",
    "component_split",
    "is_known",
    "k_fold",
    "link_split",
    "make_split",
    "mask_of",
    "per_class",
    "random_split",
    "stratified_split",
    "time_split",
]
