"""Deviations: known, explained departures of implementations from their specs, each pinned to how it fails."""

from surrogate_core.engine.deviations.known import Complaint as Complaint
from surrogate_core.engine.deviations.known import Known as Known
from surrogate_core.engine.deviations.known import check_names as check_names
from surrogate_core.engine.deviations.model import Deviation as Deviation
from surrogate_core.engine.deviations.model import Pin as Pin
from surrogate_core.engine.deviations.model import matches as matches
from surrogate_core.engine.deviations.read import read_deviations as read_deviations
from surrogate_core.engine.deviations.same import difference as difference
