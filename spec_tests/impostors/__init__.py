"""The zoo that tests the tester: small wrong SLAYER surrogates, and right ones made by different techniques.

Every wrong one has the one defect its docstring names and must be caught by the property the manifest names;
every right one must pass. The zoo files hold plain factories and import nothing of ours, because a target is
loaded by its path; importing this package imports neither jax nor torch. A new impostor is a factory in a zoo
file and a line in the manifest, which refuses to load while the two disagree.
"""

from impostors.entry import Entry
from impostors.manifest import ENTRIES, LACKS, RIGHT, WRONG

__all__ = ["ENTRIES", "LACKS", "RIGHT", "WRONG", "Entry"]
