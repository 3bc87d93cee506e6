"""The zoo as data: which property ought to catch which impostor.

The first id is THE property that ought to catch it ("errored": its exceptions and unusable results are errored,
never a pass), the others may legitimately fail too. Where there is one id, nothing else can see the defect.
What a kind of defect may fail beside its catcher is said once for the kind.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from impostors.entry import Entry, Further, Profile, read

FORMULA = (
    "gradient.oracle gradient.decay gradient.scaling gradient.area gradient.antiderivative pointwise.patterns"
    " chain.affine chain.recurrent state.instances"
)
"""What judges by the formula or by its claims over the whole curve: a wrong curve is wrong in each."""

STEP = "forward.step pointwise.patterns chain.recurrent state.instances transform.stacks"
"""What judges spikes, at a threshold or at a NaN if it comes across one."""

COTANGENT = "gradient.cotangent gradient.independence chain.affine chain.recurrent state.instances transform.stacks"
"""What hands in cotangents other than 1."""

REPEATED = (
    f"{FORMULA} forward.shape gradient.cotangent gradient.independence state.threads state.arguments state.repeated"
    " transform.stacks torch.layout torch.grad_modes torch.autocast state.copies"
)
"""What calls one instance more than once, or one after another was made: where a memory shows hangs on the order."""

STAGED = (
    f"{FORMULA} forward.step forward.shape gradient.independence transform.jit transform.vmap transform.modes"
    " transform.stacks"
)
"""What may be evaluated within a compiled program, where a defect of the trace is everywhere."""


def also(ids: str, impostors: dict[str, str]) -> dict[str, str]:
    """``impostors`` with further ids that each of them may fail."""
    return {name: f"{caught_by} {ids}" for name, caught_by in impostors.items()}


JAX_WRONG = {
    **also(
        STEP,
        {
            "silent_at_minus_zero": "forward.step",
            "nan_fires": "forward.step",
            "half_spike_at_zero": "forward.step",
            "fires_just_below_zero": "forward.step",
        },
    ),
    # a wrong curve's rounding may exceed the right curve's bound, so that jit and eager disagree
    **also(
        FORMULA,
        {
            "alpha_ignored": "gradient.oracle",
            "log2e_cut": "gradient.oracle",
            "tail_cut_at_20": "gradient.oracle",
            "clamped_to_floor": "gradient.oracle gradient.nonfinite",
            "bfloat16_inside": "gradient.oracle transform.jit transform.stacks",
            "sigmoid_instead": "gradient.oracle gradient.peak gradient.range",
            "flat_top": "gradient.oracle",
            "rational_instead": "gradient.decay transform.jit",
            "slope_off_by_1e_5": "gradient.decay",
            "straight_through": "gradient.decay",
            "hole_at_minus_zero": "gradient.peak gradient.symmetry gradient.range",
            "exponent_precedence": (
                "gradient.peak gradient.range gradient.nonfinite gradient.cotangent transform.jit transform.stacks"
            ),
            "zero_gradient": "gradient.peak gradient.cotangent gradient.nonfinite",
            "spike_as_gradient": "gradient.symmetry gradient.nonfinite",
            "abs_forgotten": (
                "gradient.range gradient.symmetry gradient.peak gradient.nonfinite gradient.cotangent"
                " gradient.independence transform.jit transform.vmap transform.modes transform.stacks"
            ),
            "rippled": "gradient.range transform.jit transform.stacks",
            "negative_undershoot": "gradient.range transform.jit transform.modes transform.stacks forward.shape",
            "infinity_times_zero": "gradient.nonfinite",
        },
    ),
    "peak_one_ulp_short": "gradient.peak",
    "one_ulp_asymmetric": "gradient.symmetry",
}

JAX_CURVE = {
    **also(
        FORMULA,
        {
            "forward_difference": (
                "gradient.antiderivative gradient.peak gradient.symmetry gradient.range transform.jit"
            ),
            "alpha_to_the_1_001": "gradient.oracle",
            "float32_inside_float64": "gradient.oracle",
            "hyperbolic_secant": "gradient.area transform.jit",
            "plateau_in_a_narrow_window": "pointwise.patterns",
            "one_wrong_bit_pattern": "pointwise.patterns",
        },
    ),
    "alpha_at_least_1_5": "gradient.scaling state.instances",
    "other_rate_unless_cotangent_is_one": f"gradient.cotangent transform.modes transform.vmap {COTANGENT}",
    "cotangent_in_quarters": f"chain.affine {COTANGENT}",
    "cotangent_of_eight_bits": f"chain.recurrent {COTANGENT}",
    "SmoothForgetsToDivide": "gradient.smooth",
}

JAX_STRUCTURE = {
    # dtype and shape; a float32 cotangent overflows where a float64 one would be huge
    "always_float32": f"forward.dtype {COTANGENT} pointwise.patterns errored",
    "other_rate_for_matrices": "forward.shape chain.affine chain.recurrent state.instances transform.stacks",
    "normalised_by_its_peak": f"forward.shape transform.vmap {REPEATED}",
    "squeezed": "forward.shape transform.vmap chain.affine chain.recurrent state.instances transform.stacks errored",
    # the cotangent; the mean of ones need not be exactly 1
    **also(
        COTANGENT,
        {
            "cotangent_sign_dropped": "gradient.cotangent",
            "cotangent_averaged": "gradient.cotangent gradient.peak transform.modes transform.vmap",
            "cotangent_ignored": "gradient.cotangent transform.modes",
        },
    ),
    # transformations
    # vmap is compared within one program, where these are already themselves or not, by the tracer they see
    "other_rate_under_jit": f"transform.jit {STAGED}",
    "silent_at_zero_under_jit": f"transform.jit {STAGED}",
    "batch_axis_reshaped": "transform.vmap transform.stacks",
    "other_rate_under_vmap": "transform.vmap transform.stacks chain.affine chain.recurrent",
    "forward_mode_forgets_alpha": "transform.modes transform.stacks",
    "tangent_clipped": "transform.modes transform.stacks",
    "silent_at_zero_in_training": f"transform.modes transform.vmap transform.jit {STEP}",
    # not a spike function at all
    "raises": "errored",
    "exits": "errored",
    "branches_on_values": "errored transform.jit transform.vmap transform.stacks",
    "returns_tuple": "errored",
    "returns_bool": (
        "errored forward.dtype gradient.peak gradient.nonfinite gradient.cotangent gradient.independence"
        f" transform.stacks {FORMULA}"
    ),
}

JAX_STATE = {
    **also(
        REPEATED,
        {
            "shared_class_attribute": "state.instances errored transform.jit transform.vmap transform.modes",
            "cached_by_shape": "state.instances transform.vmap",
            "cached_by_id": "state.instances transform.vmap",
            "lags_one_call": "state.instances transform.vmap",
            "third_call": "state.instances transform.jit transform.modes",
            "wobbles": "state.instances gradient.peak transform.jit transform.vmap transform.modes state.copies",
        },
    ),
    "memoised_by_whole_alpha": "state.instances gradient.scaling",
    "stashed_input": "state.instances state.threads chain.recurrent",
    "scratch_shared_by_threads": "state.threads",
    "last_bit_alternates": "state.repeated",
    # an array that was deleted raises wherever it is used again
    "donates_its_input": "state.arguments state.instances errored",
    "donates_the_cotangent": "state.arguments state.instances errored",
    "donates_its_last_answer": "state.arguments state.instances errored",
    "fresh_jit_each_call": "cost.retracing",
    "compiled_for_each_value": "cost.retracing",
}

JAX_SHAPE = {
    "remainder_of_eight_lost": f"forward.shape gradient.independence transform.vmap transform.stacks {FORMULA}",
    "last_of_odd_silent": f"forward.shape gradient.independence {STEP}",
    "other_rate_in_large_arrays": "forward.shape pointwise.patterns",
    "other_rate_from_rank_five": "forward.shape state.instances transform.stacks",
    "other_rate_for_images": "forward.shape",
    "other_rate_for_videos": "forward.shape",
    "other_rate_for_even_matrices": "forward.shape",
    "other_rate_for_columns": "forward.shape",
    "empty_raises": "errored",
    "cached_by_extremes": "gradient.independence pointwise.patterns state.instances",
    "huge_neighbour_silences": "gradient.independence pointwise.patterns state.instances",
}

JAX_STACKS = {
    "other_rate_off_axis_0": "transform.vmap transform.stacks",
    "other_rate_under_second_vmap": "transform.stacks",
    "other_rate_in_a_batching_rule": "transform.stacks",
    "cotangent_reshaped_under_second_vmap": "transform.stacks",
    # a sweep too large for one array may be evaluated in a loop
    "other_rate_in_loops": "transform.stacks chain.recurrent pointwise.patterns",
    "other_rate_in_branches": "transform.stacks",
    "other_rate_under_checkpoint": "transform.stacks",
    "other_rate_in_jvp_of_jit": "transform.stacks",
}

JAX_FURTHER = {
    "second_derivative_detached": "gradient.second",
    "second_derivative_one_sided": "gradient.second",
    "second_derivative_leaks": "gradient.second",
    "alpha_detached": "gradient.parameter",
    "alpha_derivative_signed": "gradient.parameter",
    "alpha_derivative_leaks": "gradient.parameter",
}

TORCH_WRONG = {
    # forward, dtype, shape
    "silent_at_zero": f"forward.step {STEP}",
    "float32_spikes": f"forward.dtype {COTANGENT} pointwise.patterns errored",
    "bool_in_evaluation": f"forward.dtype errored transform.vmap transform.modes torch.grad_modes {STEP}",
    "ravelled": "forward.shape transform.vmap chain.affine chain.recurrent transform.stacks torch.layout errored",
    # the formula
    **also(
        FORMULA,
        {
            "float32_inside": "gradient.oracle",
            "gaussian_instead": "gradient.decay",
            "detached": (
                "gradient.oracle gradient.peak gradient.cotangent gradient.nonfinite gradient.independence"
                " transform.modes transform.stacks errored"
            ),
            "half_alpha_in_front": "gradient.peak gradient.range gradient.cotangent",
            "peak_at_one": "gradient.peak gradient.symmetry gradient.range",
            "one_sided_rate": "gradient.symmetry",
            "overflows_when_negative": "gradient.range gradient.symmetry gradient.cotangent gradient.independence",
        },
    ),
    "nan_becomes_zero": "gradient.nonfinite gradient.independence pointwise.patterns",
    # the cotangent
    **also(COTANGENT, {"cotangent_clipped": "gradient.cotangent", "nan_leaks": "gradient.cotangent"}),
    # transformations
    "forward_mode_too_steep": "transform.modes transform.stacks",
    "batch_axis_reshaped_torch": "transform.vmap transform.stacks",
    # not a spike function at all
    "returns_none": "errored",
    "returns_float": "errored",
}

TORCH_CURVE = {
    "hole_at_zero": f"gradient.peak gradient.range {FORMULA}",
    "triangle": f"gradient.area {FORMULA}",
    "smooth_function_itself": (
        f"gradient.antiderivative gradient.peak gradient.symmetry gradient.range gradient.nonfinite {FORMULA}"
    ),
    "whole_alpha_cut": "gradient.scaling state.instances",
    "fires_in_a_narrow_window": f"pointwise.patterns {STEP}",
    "fires_at_one_wrong_bit_pattern": f"pointwise.patterns {STEP}",
    "SmoothHalfOnTheLeft": "gradient.smooth",
    "last_of_odd_lost": f"gradient.independence forward.shape transform.stacks {FORMULA}",
    "silent_at_zero_in_large_arrays": "forward.shape pointwise.patterns",
    "other_rate_in_whole_lanes": "forward.shape",
    "nan_silences_the_element_before": "gradient.independence state.instances",
    # without a graph there is nothing to differentiate
    "graph_cut_before_it": "chain.affine chain.recurrent transform.stacks torch.layout errored",
    "feedback_detached": "chain.recurrent",
}

TORCH_STATE = {
    **also(
        REPEATED,
        {
            "shared_class_attribute_torch": "state.instances transform.vmap transform.modes",
            "cached_by_address": "state.instances",
            "wobbles_torch": "state.instances gradient.peak state.copies",
        },
    ),
    "stashed_input_torch": "state.instances state.threads chain.recurrent",
    "scratch_shared_by_threads_torch": "state.threads",
    "last_bit_alternates_torch": "state.repeated",
    # PyTorch refuses to write into an expanded tensor, and to go back through what was overwritten
    "clamps_its_input": f"state.arguments {REPEATED} errored",
    "abs_in_place": f"state.arguments {REPEATED} errored",
    "cotangent_in_place": f"state.arguments {REPEATED}",
    "output_in_one_buffer": f"state.arguments {REPEATED}",
    # a buffer that was made within torch.func raises once that is over
    "output_in_one_buffer_without_grad": "state.arguments transform.vmap errored",
    "gradient_in_one_buffer": f"state.arguments {REPEATED}",
    "kept_gradient_in_place": "state.repeated",
    "ForgetsAlphaInDeepcopy": "state.copies",
    "ForgetsAlphaInPickle": "state.copies",
}

TORCH_MODES = {
    "read_in_storage_order": "torch.layout gradient.independence chain.affine transform.stacks",
    "slice_offset_forgotten": "torch.layout gradient.independence chain.recurrent transform.stacks",
    "channels_last_taken_for_contiguous": "torch.layout",
    "expanded_cotangent_reaches_one_element": "torch.layout",
    "repeated_cotangent_taken_for_one_number": "torch.layout",
    "cotangent_read_in_storage_order": "torch.layout",
    "cotangent_offset_forgotten": "torch.layout chain.recurrent",
    "silent_at_zero_without_grad": "torch.grad_modes",
    "soft_in_inference_mode": "torch.grad_modes",
    "low_precision_spikes_under_autocast": "torch.autocast",
    "matmul_under_autocast": "torch.autocast",
    "inverted_off_axis_0": "transform.vmap transform.stacks",
    "inverted_under_second_vmap": "transform.stacks",
    "other_rate_under_torch_compile": "transform.jit",
}

TORCH_FURTHER = {
    "second_derivative_one_sided_torch": "gradient.second",
    "alpha_read_as_a_number": "gradient.parameter",
    "alpha_derivative_signed_torch": "gradient.parameter",
}

DECLARED: dict[str, Further] = {
    **dict.fromkeys(JAX_FURTHER | TORCH_FURTHER, "formula"),
    **dict.fromkeys(("second_derivative_leaks", "alpha_derivative_leaks", "nothing_beyond"), "zero"),
    **dict.fromkeys(("learnable_alpha", "learnable_alpha_torch"), "formula"),
}
"""What a spec declares of the derivatives beyond the gradient. Where it is silent they are told, and accuse nobody."""

IN_STANDARD = {"forward.shape", "gradient.independence", "transform.stacks", "state.instances", "pointwise.patterns"}
"""Catchers that look at only a few places in quick."""

IN_THOROUGH = {"one_wrong_bit_pattern", "fires_at_one_wrong_bit_pattern", "other_rate_under_torch_compile"}
"""What only all bit patterns show, and what only torch.compile does: both belong to `thorough` by definition."""


def _profile(entry: Entry) -> Profile:
    """The least profile that is sure to catch it."""
    if entry.name in IN_THOROUGH:
        return "thorough"
    return "standard" if IN_STANDARD & set(entry.caught_by[:1]) else "quick"


IN_FLOAT64 = {"float32_inside_float64", "always_float32", "float32_spikes", "float32_inside"}
"""What is as declared in float32 and wrong in a wider format alone."""


def _profiled(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    return tuple(
        replace(e, profile=_profile(e), widest="float64" if e.name in IN_FLOAT64 else "float32") for e in entries
    )


def _declared(entries: Iterable[Entry]) -> Iterator[Entry]:
    return (replace(entry, further=DECLARED[entry.name]) for entry in entries)


WRONG: tuple[Entry, ...] = _profiled(
    (
        *read("jax_wrong.py", "jax", JAX_WRONG),
        *read("jax_curve.py", "jax", JAX_CURVE),
        *read("jax_structure.py", "jax", JAX_STRUCTURE),
        *read("jax_state.py", "jax", JAX_STATE),
        *read("jax_shape.py", "jax", JAX_SHAPE),
        *read("jax_stacks.py", "jax", JAX_STACKS),
        *_declared(read("jax_further.py", "jax", JAX_FURTHER)),
        *read("torch_wrong.py", "torch", TORCH_WRONG),
        *read("torch_curve.py", "torch", TORCH_CURVE),
        *read("torch_state.py", "torch", TORCH_STATE),
        *read("torch_modes.py", "torch", TORCH_MODES),
        *_declared(read("torch_further.py", "torch", TORCH_FURTHER)),
    )
)
FORWARD, BATCHED, COPIED = "transform.modes", "transform.vmap", "state.copies"

LACKS = {
    # JAX takes no custom_vjp in forward mode, and neither copies nor pickles one that is no function of a module
    "custom_vjp_residual": (FORWARD, COPIED),
    "custom_gradient_closure": (FORWARD, COPIED),
    "jitted_custom_gradient": (FORWARD, COPIED),
    "context_variable": (FORWARD,),
    # nor has it a batching rule of linear_call
    "linear_call": (FORWARD, BATCHED),
    # torch.func takes no autograd.Function without setup_context
    "old_style_function": (FORWARD, BATCHED),
    "Module": (FORWARD, BATCHED),
    "saved_float64_rate": (FORWARD, BATCHED),
    "scratch_of_each_thread": (FORWARD, BATCHED),
    "matmul_out_of_autocast": (FORWARD, BATCHED),
    "learnable_alpha_torch": (FORWARD, BATCHED),
    # nor an operator of torch.library
    "custom_operator": (FORWARD, BATCHED),
}
"""What right surrogates do not offer, by the properties that ask for it."""

RIGHT: tuple[Entry, ...] = tuple(
    replace(entry, lacks=LACKS.get(entry.name, ()))
    for entry in (
        *read("jax_right.py", "jax", None),
        *read("jax_right_forms.py", "jax", None),
        *_declared(read("jax_right_further.py", "jax", None)),
        *read("torch_right.py", "torch", None),
        *read("torch_right_forms.py", "torch", None),
        *_declared(read("torch_right_further.py", "torch", None)),
    )
)
ENTRIES: tuple[Entry, ...] = WRONG + RIGHT
