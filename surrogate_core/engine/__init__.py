"""Planning, running, the ledger, and the results file."""

from surrogate_core.engine.arrangement import arranged as arranged
from surrogate_core.engine.isolation import Limits as Limits
from surrogate_core.engine.isolation import cores as cores
from surrogate_core.engine.isolation import limits as limits
from surrogate_core.engine.ledger import Ledger as Ledger
from surrogate_core.engine.plan import PROFILES as PROFILES
from surrogate_core.engine.plan import Plan as Plan
from surrogate_core.engine.plan import Unit as Unit
from surrogate_core.engine.plan import plan as plan
from surrogate_core.engine.result import Result as Result
from surrogate_core.engine.resume import resume as resume
from surrogate_core.engine.run import not_run as not_run
from surrogate_core.engine.run import run as run
from surrogate_core.engine.selection import select_libraries as select_libraries
from surrogate_core.engine.store import Run as Run
from surrogate_core.engine.store import header as header
from surrogate_core.engine.store import read as read
from surrogate_core.engine.where import Place as Place
from surrogate_core.engine.where import place as place
from surrogate_core.engine.where import unavailable as unavailable
from surrogate_core.engine.writer import Writer as Writer
from surrogate_core.libraries.target import Target as Target
from surrogate_core.libraries.target import resolve as resolve
