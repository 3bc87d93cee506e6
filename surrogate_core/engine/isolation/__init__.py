"""Judging in processes apart: limits, workers, what watches them, and what cleans up after them."""

from surrogate_core.engine.isolation.judge import Trouble as Trouble
from surrogate_core.engine.isolation.limits import Limits as Limits
from surrogate_core.engine.isolation.limits import limits as limits
from surrogate_core.engine.isolation.pool import Pool as Pool
from surrogate_core.engine.isolation.pool import available as available
from surrogate_core.engine.isolation.pool import cores as cores
from surrogate_core.engine.isolation.supervisor import Ended as Ended
