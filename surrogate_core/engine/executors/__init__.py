"""Judging on many machines: units of work go to an executor of ``concurrent.futures``, and their results come back."""

from surrogate_core.engine.executors.crews import Crew as Crew
from surrogate_core.engine.executors.crews import crew as crew
from surrogate_core.engine.executors.gathering import Stopped as Stopped
from surrogate_core.engine.executors.gathering import gather as gather
from surrogate_core.engine.executors.task import Answer as Answer
from surrogate_core.engine.executors.task import Task as Task
from surrogate_core.engine.executors.task import cut as cut
from surrogate_core.engine.executors.task import work as work
