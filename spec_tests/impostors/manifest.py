"""The zoo as data: which property ought to catch which impostor.

The first id is THE property that ought to catch it ("errored": its exceptions and unusable results are errored,
never a pass), the others may legitimately fail too. Where there is one id, nothing else can see the defect.
"""

from impostors.entry import Entry, read

JAX_WRONG = {
    # forward
    "silent_at_minus_zero": "forward.step",
    "nan_fires": "forward.step",
    "half_spike_at_zero": "forward.step",
    "fires_just_below_zero": "forward.step",
    # the formula; a wrong curve's rounding may exceed the right curve's bound, so that jit and eager disagree
    "alpha_ignored": "gradient.oracle gradient.decay",
    "log2e_cut": "gradient.oracle gradient.decay",
    "tail_cut_at_20": "gradient.oracle gradient.decay",
    "clamped_to_floor": "gradient.oracle gradient.decay gradient.nonfinite",
    "bfloat16_inside": "gradient.oracle gradient.decay transform.jit",
    "sigmoid_instead": "gradient.oracle gradient.decay gradient.peak gradient.range",
    "flat_top": "gradient.oracle gradient.decay",
    "rational_instead": "gradient.decay gradient.oracle transform.jit",
    "slope_off_by_1e_5": "gradient.decay gradient.oracle",
    "straight_through": "gradient.decay gradient.oracle",
    # the peak
    "peak_one_ulp_short": "gradient.peak",
    "hole_at_minus_zero": "gradient.peak gradient.oracle gradient.symmetry gradient.decay gradient.range",
    "exponent_precedence": (
        "gradient.peak gradient.oracle gradient.decay gradient.range gradient.nonfinite gradient.cotangent"
        " transform.jit"
    ),
    "zero_gradient": "gradient.peak gradient.oracle gradient.decay gradient.cotangent gradient.nonfinite",
    # symmetry, range, non-finite input
    "one_ulp_asymmetric": "gradient.symmetry",
    "spike_as_gradient": "gradient.symmetry gradient.oracle gradient.decay gradient.nonfinite",
    "abs_forgotten": (
        "gradient.range gradient.oracle gradient.symmetry gradient.decay gradient.peak gradient.nonfinite"
        " gradient.cotangent transform.jit transform.vmap transform.modes"
    ),
    "rippled": "gradient.range gradient.oracle gradient.decay transform.jit",
    "negative_undershoot": "gradient.range gradient.oracle gradient.decay transform.jit",
    "infinity_times_zero": "gradient.nonfinite",
}

JAX_STRUCTURE = {
    # dtype and shape; a float32 cotangent overflows where a float64 one would be huge
    "always_float32": "forward.dtype gradient.cotangent",
    "other_rate_for_matrices": "forward.shape",
    "normalised_by_its_peak": "forward.shape transform.vmap",
    "squeezed": "forward.shape transform.vmap",
    # the cotangent; the mean of ones need not be exactly 1
    "cotangent_sign_dropped": "gradient.cotangent",
    "cotangent_averaged": "gradient.cotangent gradient.peak transform.modes transform.vmap",
    "cotangent_ignored": "gradient.cotangent transform.modes",
    # transformations
    # vmap is compared within one program, where these are already themselves or not, by the tracer they see
    "other_rate_under_jit": "transform.jit transform.vmap",
    "silent_at_zero_under_jit": "transform.jit transform.vmap",
    "batch_axis_reshaped": "transform.vmap",
    "other_rate_under_vmap": "transform.vmap",
    "forward_mode_forgets_alpha": "transform.modes",
    "silent_at_zero_in_training": "transform.modes forward.step transform.vmap transform.jit",
    # not a spike function at all
    "raises": "errored",
    "exits": "errored",
    "branches_on_values": "errored transform.jit transform.vmap",
    "returns_tuple": "errored",
    "returns_bool": (
        "errored forward.dtype gradient.oracle gradient.peak gradient.decay gradient.nonfinite gradient.cotangent"
    ),
}

TORCH_WRONG = {
    # forward, dtype, shape
    "silent_at_zero": "forward.step",
    "float32_spikes": "forward.dtype gradient.cotangent",
    "bool_in_evaluation": "forward.dtype errored transform.vmap transform.modes",
    "ravelled": "forward.shape transform.vmap errored",
    # the formula
    "float32_inside": "gradient.oracle gradient.decay",
    "gaussian_instead": "gradient.decay gradient.oracle",
    "detached": (
        "gradient.oracle gradient.peak gradient.decay gradient.cotangent gradient.nonfinite transform.modes errored"
    ),
    "half_alpha_in_front": "gradient.peak gradient.oracle gradient.decay gradient.range gradient.cotangent",
    "peak_at_one": "gradient.peak gradient.oracle gradient.symmetry gradient.decay gradient.range",
    "one_sided_rate": "gradient.symmetry gradient.oracle gradient.decay",
    "overflows_when_negative": "gradient.range gradient.oracle gradient.symmetry gradient.decay gradient.cotangent",
    "nan_becomes_zero": "gradient.nonfinite",
    # the cotangent
    "cotangent_clipped": "gradient.cotangent",
    "nan_leaks": "gradient.cotangent",
    # transformations
    "forward_mode_too_steep": "transform.modes",
    "batch_axis_reshaped_torch": "transform.vmap",
    # not a spike function at all
    "returns_none": "errored",
    "returns_float": "errored",
}

WRONG: tuple[Entry, ...] = (
    *read("jax_wrong.py", "jax", JAX_WRONG),
    *read("jax_structure.py", "jax", JAX_STRUCTURE),
    *read("torch_wrong.py", "torch", TORCH_WRONG),
)
RIGHT: tuple[Entry, ...] = (
    *read("jax_right.py", "jax", None),
    *read("torch_right.py", "torch", None),
)
ENTRIES: tuple[Entry, ...] = WRONG + RIGHT
