"""Reports: stored results in, one offline HTML file out. Redrawing never re-runs a check.

``html`` is the door; behind it every file has one idea: ``words`` (numbers and names as a person reads
them), ``formula`` (a formula as MathML), ``verdict`` (the answer), ``evidence`` (what stands behind it),
``findings`` (what went wrong), ``charts`` (figures with their captions and numbers), ``plots`` (drawing),
``svg`` (a drawing made accessible and themeable), ``page`` (all of it put together for the template).
"""

from surrogate_core.report.html import render as render
from surrogate_core.report.html import write as write
