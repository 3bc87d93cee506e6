"""How each framework says things in a script of a failure."""

from __future__ import annotations

from surrogate_core.drivers.script import Dialect
from surrogate_core.drivers.smooth import DEFINITION

__all__ = ["JAX", "TORCH"]

JAX = Dialect(
    imports="import jax\nimport jax.numpy as jnp\njnp.set_printoptions(precision=17)",
    array="jnp.array({values}, dtype=jnp.{dtype})",
    ones="jnp.ones_like(x)",
    operations={
        "value": "{spike}(x)",
        "vjp": "jax.vjp({spike}, x)[1](v)[0]",
        "late vjp": "late({spike}, x, v)",
        "vjp again": "again({spike}, x, v)",
        "jvp": "jax.jvp({spike}, (x,), (v,))[1]",
        "linearize": "jax.linearize({spike}, x)[1](v)",
        "grad": "jax.grad(lambda x: {spike}(x).sum())(x)",
        "jacrev": "jax.jacrev({spike})(x)",
        "jacfwd": "jax.jacfwd({spike})(x)",
        "second": "jax.grad(lambda x: jax.grad(lambda x: {spike}(x).sum())(x).sum())(x)",
        "affine": "jax.vjp(lambda w, b, x: {spike}(w @ x + b), *weights, x)[1](v)",
        "recurrent": "jax.vjp(lambda x: through_time({spike}, *weights, x), x)[1](v)[0]",
        "residuals": "sum({{id(a): a.nbytes for a in jax.tree.leaves(jax.vjp({spike}, x)[1])}}.values())",
        "smooth": "smooth({spike}, x)",
    },
    vmap="jax.vmap({call}, in_axes={axes}, out_axes={out})",
    transforms={
        "jit": "jax.jit({call})",
        "checkpoint": "jax.checkpoint({call})",
        "scan": "(lambda *a: jax.lax.scan(lambda c, row: (c, {call}(*row)), None, a)[1])",
        "map": "(lambda *a: jax.lax.map(lambda row: {call}(*row), a))",
        "cond": "(lambda *a: jax.lax.cond(a[0].sum() < 0, {call}, {call}, *a))",
        "while": "looped({call})",
        "custom_vmap": "jax.custom_batching.sequential_vmap({call})",
        "deepcopy": "copy.deepcopy({call})",
        "pickle": "pickle.loads(pickle.dumps({call}))",
    },
    definitions={
        "late vjp": """
def late(spike, x, v):
    pull = jax.vjp(spike, x)[1]
    jax.vjp(spike, -2 * x)[1](jnp.ones_like(x))
    return pull(v)[0]
""",
        "vjp again": """
def again(spike, x, v):
    pull = jax.vjp(spike, x)[1]
    pull(-2 * v)
    return pull(v)[0]
""",
        "recurrent": """
def through_time(spike, d, x):
    def step(u, current):
        u = d * u + current
        s = spike(u)
        return u - s, s
    return jax.lax.scan(step, jnp.zeros_like(x[0]), x)[1]
""",
        "while": """
def looped(f):
    def call(*a):
        blank = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), jax.eval_shape(f, *a))
        return jax.lax.while_loop(lambda s: s[0] < 1, lambda s: (s[0] + 1, f(*a)), (0, blank))[1]
    return call
""",
        "smooth": DEFINITION,
        "custom_vmap": "import jax.custom_batching",
        "deepcopy": "import copy",
        "pickle": "import pickle",
    },
    wide='jax.config.update("jax_enable_x64", True)',
)

TORCH = Dialect(
    imports="import torch\ntorch.set_printoptions(precision=9)",
    wide="torch.set_printoptions(precision=17)",
    array="torch.tensor({values}, dtype=torch.{dtype}, requires_grad=True)",
    ones="torch.ones_like(x)",
    operations={
        "value": "{spike}(x)",
        "vjp": "torch.autograd.grad({spike}(x), x, v)[0]",
        "late vjp": "late({spike}, x, v)",
        "vjp again": "again({spike}, x, v)",
        "jvp": "torch.func.jvp({spike}, (x,), (v,))[1]",
        "grad": "torch.func.grad(lambda x: {spike}(x).sum())(x)",
        "jacrev": "torch.func.jacrev({spike})(x)",
        "jacfwd": "torch.func.jacfwd({spike})(x)",
        "second": "torch.autograd.grad(torch.autograd.grad({spike}(x).sum(), x, create_graph=True)[0].sum(), x)[0]",
        "affine": "torch.autograd.grad({spike}((weights[0] * x).sum(-1) + weights[1]), (*weights, x), v)",
        "recurrent": "torch.autograd.grad(through_time({spike}, *weights, x), x, v)[0]",
        "residuals": "kept({spike}, x)",
        "smooth": "smooth({spike}, x)",
    },
    nested={"vjp": "torch.func.vjp({spike}, x)[1](v)[0]"},
    vmap="torch.func.vmap({call}, in_dims={axes}, out_dims={out})",
    transforms={
        "jit": "torch.compile({call}, backend='aot_eager')",
        "checkpoint": "(lambda x: torch.utils.checkpoint.checkpoint({call}, x, use_reentrant=False))",
        "transposed": "(lambda x: {call}(x.movedim(0, -1).contiguous().movedim(-1, 0)))",
        "sliced": "(lambda x: {call}(torch.stack([x + 1, x], -1)[..., 1]))",
        "expanded": "(lambda x: {call}(x[..., None].expand(*x.shape, 3))[..., 0])",
        "channels_last": "(lambda x: {call}(x.contiguous(memory_format=torch.channels_last)))",
        "transposed cotangent": "(lambda x, v: {call}(x, v.movedim(0, -1).contiguous().movedim(-1, 0)))",
        "sliced cotangent": "(lambda x, v: {call}(x, torch.stack([v + 1, v], -1)[..., 1]))",
        "expanded cotangent": "(lambda x, v: {call}(x, v.flatten()[0].expand(v.shape)))",
        "repeated cotangent": "(lambda x, v: {call}(x, v[:1].expand(v.shape)))",
        "no_grad": "torch.no_grad()({call})",
        "inference_mode": "torch.inference_mode()({call})",
        "autocast": "torch.autocast('cpu', torch.bfloat16)({call})",
        "deepcopy": "copy.deepcopy({call})",
        "pickle": "pickle.loads(pickle.dumps({call}))",
    },
    definitions={
        "late vjp": """
def late(spike, x, v):
    y = spike(x)
    torch.autograd.grad(spike(z := (-2 * x).detach().requires_grad_()).sum(), z)
    return torch.autograd.grad(y, x, v)[0]
""",
        "vjp again": """
def again(spike, x, v):
    y = spike(x)
    torch.autograd.grad(y, x, -2 * v, retain_graph=True)
    return torch.autograd.grad(y, x, v)[0]
""",
        "recurrent": """
def through_time(spike, d, x):
    u, spikes = torch.zeros_like(x[0]), []
    for current in x:
        u = d * u + current
        spikes.append(spike(u))
        u = u - spikes[-1]
    return torch.stack(spikes)
""",
        "residuals": """
def kept(spike, x):
    sizes = {}
    def pack(saved):
        sizes[saved.data_ptr()] = saved.untyped_storage().nbytes()
        return saved
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda saved: saved):
        spike(x)
    return sum(sizes.values())
""",
        "smooth": DEFINITION,
        "checkpoint": "import torch.utils.checkpoint",
        "deepcopy": "import copy",
        "pickle": "import pickle",
    },
)
