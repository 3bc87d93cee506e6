"""The model of a Spec, what is derived from its formula, and the catalogue. Knows no framework."""

from surrogate_core.errors import BadInput as BadInput
from surrogate_core.spec.catalogue import get_spec as get_spec
from surrogate_core.spec.catalogue import spec_names as spec_names
from surrogate_core.spec.claims import Area as Area
from surrogate_core.spec.claims import Claim as Claim
from surrogate_core.spec.claims import Even as Even
from surrogate_core.spec.claims import LogLinearDecay as LogLinearDecay
from surrogate_core.spec.claims import NonIncreasing as NonIncreasing
from surrogate_core.spec.claims import Peak as Peak
from surrogate_core.spec.claims import ScalesWith as ScalesWith
from surrogate_core.spec.formats import FORMATS as FORMATS
from surrogate_core.spec.formats import Format as Format
from surrogate_core.spec.formats import get_format as get_format
from surrogate_core.spec.model import Parameter as Parameter
from surrogate_core.spec.model import Parameters as Parameters
from surrogate_core.spec.model import Spec as Spec
from surrogate_core.spec.model import x as x
