"""The torch namespace that ordinary scripts touch before, after and beside their tensors."""

import importlib
import warnings

import pytest

from parity_tests.suites._expressions import outcome, same_outcomes
from parity_tests.suites._programs import same
from parity_tests.suites._warnings import warned

ASKING_FOR_A_GPU = [
    *(f"ns.cuda.{call}" for call in (
        "is_available()", "device_count()", "is_initialized()", "is_bf16_supported()", "is_tf32_supported()", "get_arch_list()",
        "get_gencode_flags()", "current_device()", "get_device_name()", "get_device_name(0)", "get_device_properties(0)",
        "get_device_capability()", "empty_cache()", "synchronize()", "synchronize(0)", "init()", "manual_seed(1)",
        "manual_seed_all(1)", "seed()", "seed_all()", "initial_seed()", "get_rng_state()", "get_rng_state_all()",
        "memory_allocated()", "memory_allocated(0)", "max_memory_allocated()", "memory_reserved()", "max_memory_reserved()",
        "memory_stats()", "mem_get_info()", "memory_cached()", "ipc_collect()", "Event()", "Event(enable_timing=True)",
        "Stream()", "current_stream()", "default_stream()", "stream(None).__enter__()", "device(0).__enter__()",
        "FloatTensor", "FloatTensor(2)", "LongTensor([1])", "ByteTensor", "has_half",
        "can_device_access_peer(0, 1)", "OutOfMemoryError", "set_rng_state(ns.zeros(1))",
        "set_per_process_memory_fraction(0.5)",
    )),
    *(f"ns.backends.{name}" for name in (
        "cudnn.enabled", "cudnn.benchmark", "cudnn.deterministic", "cudnn.allow_tf32", "cudnn.is_available()",
        "cudnn.version()", "cudnn.benchmark_limit", "cudnn.is_acceptable(ns.ones(1))", "cuda.matmul.allow_tf32",
        "cuda.is_built()", "cuda.flash_sdp_enabled()", "cuda.math_sdp_enabled()", "cuda.enable_flash_sdp(True)",
        "mps.is_available()", "mps.is_built()", "mps.is_macos13_or_newer()", "mkldnn.enabled", "opt_einsum.is_available()",
        "cpu.get_cpu_capability()", "nothing",
    )),
    *(f"ns.mps.{call}" for call in (
        "is_available()", "device_count()", "empty_cache()", "synchronize()", "manual_seed(0)", "seed()",
        "current_allocated_memory()", "driver_allocated_memory()", "get_rng_state()", "set_per_process_memory_fraction(0.5)",
    )),
    *(f"ns.xpu.{call}" for call in (
        "is_available()", "device_count()", "empty_cache()", "synchronize()", "manual_seed(1)", "manual_seed_all(0)",
        "current_device()", "get_device_name()", "is_initialized()", "memory_allocated()",
    )),
    *(f"ns.accelerator.{call}" for call in (
        "is_available()", "device_count()", "current_accelerator()", "current_accelerator(check_available=True)",
        "current_device_index()", "synchronize()", "set_device_index(0)", "current_stream()", "device_index(0).__enter__()",
        "empty_cache()", "memory_allocated()", "max_memory_allocated()",
    )),
    "ns.cpu.is_available()", "ns.cpu.device_count()", "ns.cpu.synchronize()", "ns.cpu.current_device()",
    "ns.device('cuda' if ns.cuda.is_available() else 'cpu')", "ns.version.cuda", "ns.version.hip", "ns.version.debug",
    "ns.get_device_module('cpu').is_available()", "ns.get_device_module().is_available()", "ns.get_device_module('foo')",
    "ns.get_device_module('cuda').is_available()", "ns.is_vulkan_available()",
]  # fmt: skip


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("expression", ASKING_FOR_A_GPU)
def test_asking_for_a_gpu(torch, candidate, expression):
    same_outcomes(torch, candidate, [expression])


SWITCHES = ("benchmark", "deterministic", "enabled", "allow_tf32")


@pytest.mark.parametrize("switch", SWITCHES)
def test_switches_of_cudnn(torch, candidate, switch):
    def program(ns):
        cudnn = ns.backends.cudnn
        before = getattr(cudnn, switch)
        setattr(cudnn, switch, not before)
        during = getattr(cudnn, switch)
        setattr(cudnn, switch, before)
        with cudnn.flags(enabled=False, benchmark=True):
            inside = [getattr(cudnn, each) for each in SWITCHES]
        return before, during, inside, [getattr(cudnn, each) for each in SWITCHES]

    same(torch, candidate, program)


TO_A_DEVICE = [
    "t.cuda()", "t.cuda(0)", "t.cuda('cuda')", "t.cuda('cpu')", "t.to('cuda')", "t.to('cuda:0')", "t.to(0)", "t.to('mps')",
    "t.xpu()", "t.xpu(0)", "t.cpu() is t", "t.to('cpu') is t", "t.get_device()", "t.is_cuda", "t.is_cpu", "t.is_mps", "t.is_xpu",
    "t.is_meta", "t.pin_memory()", "t.is_pinned()", "t.is_shared()", "t.is_distributed()", "ns.ones(1, device='cuda')",
    "ns.nn.Linear(1, 1).cuda()", "ns.nn.Linear(1, 1).to('cuda')", "t.get_device(1)", "ns.get_device(t)", "t.ipu()", "t.hpu()",
]  # fmt: skip


def matrix(ns):
    return {"t": ns.tensor([[1.0, 2.0], [3.0, 4.0]]), "one": ns.ones(1), "none": ns.tensor([])}


def test_moving_to_a_device(torch, candidate):
    same_outcomes(torch, candidate, TO_A_DEVICE, matrix)


QUESTIONS = [
    "ns.inf", "ns.nan", "ns.pi", "ns.e", "ns.newaxis", "t[ns.newaxis].shape", "ns.is_storage(3)", "ns.is_tensor(t)",
    "ns.is_tensor(3)", "ns.is_complex(t)", "ns.is_nonzero(one)", "ns.is_nonzero(t)", "ns.is_nonzero(none)", "ns.is_nonzero(3)",
    "ns.is_nonzero()", "ns.numel(t)", "ns.numel(3)", "ns.is_same_size(t, one)", "ns.is_same_size(t, t.t())",
    "ns.is_same_size(t, 3)", "t.is_same_size(t)", "t.is_nonzero()", "one.is_nonzero()", "ns.is_inference(t)", "t.is_inference()",
    "ns.is_distributed(t)", "ns.is_signed(t)", "ns.is_floating_point(t)", "ns.typename(t)", "ns.typename(3)",
    "ns.typename(t.long())", "ns.typename(ns.nn.Parameter(t))", "ns.typename(None)", "ns.typename(int)", "ns.typename([])",
    "ns.typename(ns.float32)", "ns.typename(t.shape)", "ns.typename(np.ones(1))", "ns.typename(ns.nn.Linear)", "t.nbytes",
    "t.itemsize", "t.element_size()", "t.name", "t.output_nr", "t.grad_dtype", "t.unbind()[1].output_nr", "t.names",
    "(t.requires_grad_() * 2).unbind()[1].output_nr", "t.to_dense() is t", "t.dense_dim()", "t.sparse_dim()", "t.coalesce()",
    "t.is_coalesced()", "t.indices()", "t.values()", "t.is_sparse", "t.is_sparse_csr", "t.is_quantized", "t.is_mkldnn",
    "t.is_vulkan", "t.is_xla", "t.is_mtia", "ns.is_grad_enabled()", "ns.compiled_with_cxx11_abi()", "ns.nothing", "t.nothing",
    "ns.OutOfMemoryError.__mro__[1]", "ns.is_autocast_enabled()", "ns.is_autocast_enabled('cpu')", "ns.is_autocast_enabled('x')",
    "ns.is_autocast_cache_enabled()", "ns.jit.is_scripting()", "ns.jit.is_tracing()", "ns.types.Number", "ns.types.Tensor",
    "ns.return_types.max", "ns.return_types.nothing", "ns.distributed.is_initialized()",
    "issubclass(ns.multiprocessing.Process, object)", "ns.functional.norm(one)", "ns.functional.nothing",
]  # fmt: skip


@pytest.mark.parametrize("expression", QUESTIONS)
def test_questions(torch, candidate, expression):
    same_outcomes(torch, candidate, [expression], matrix)


SETTINGS = [
    "ns.are_deterministic_algorithms_enabled()", "ns.use_deterministic_algorithms(True)",
    "ns.are_deterministic_algorithms_enabled()", "ns.is_deterministic_algorithms_warn_only_enabled()",
    "ns.get_deterministic_debug_mode()", "ns.use_deterministic_algorithms(True, warn_only=True)",
    "ns.is_deterministic_algorithms_warn_only_enabled()", "ns.get_deterministic_debug_mode()",
    "ns.set_deterministic_debug_mode('error')", "ns.get_deterministic_debug_mode()", "ns.set_deterministic_debug_mode('foo')",
    "ns.set_deterministic_debug_mode(7)", "ns.set_deterministic_debug_mode(3.5)", "ns.set_deterministic_debug_mode(0)",
    "ns.are_deterministic_algorithms_enabled()", "ns.use_deterministic_algorithms(3)", "ns.use_deterministic_algorithms()",
    "ns.use_deterministic_algorithms(True, 3)", "ns.get_float32_matmul_precision()", "ns.set_float32_matmul_precision('high')",
    "ns.get_float32_matmul_precision()", "ns.set_float32_matmul_precision(1)", "ns.set_float32_matmul_precision('highest')",
    "ns.set_flush_denormal(False)", "ns.set_flush_denormal(3)", "ns.is_warn_always_enabled()", "ns.set_warn_always(True)",
    "ns.is_warn_always_enabled()", "ns.set_warn_always(False)", "ns.set_warn_always(3)", "ns.use_deterministic_algorithms(False)",
]  # fmt: skip


def test_settings(torch, candidate):
    same(torch, candidate, lambda ns: [outcome(ns, each, {}) for each in SETTINGS])


ASSERTIONS = [
    "ns._assert(True, 'x')", "ns._assert(False, 'x')", "ns._assert(ns.tensor(False), 'x')", "ns._check(True)", "ns._check(False)",
    "ns._check(False, lambda: 'said')", "ns._check('a')", "ns._check_index(False, lambda: 'said')", "ns._check_value(False)",
    "ns._check_type(False)", "ns._check_not_implemented(False)",
]  # fmt: skip


def test_assertions(torch, candidate):
    same_outcomes(torch, candidate, ASSERTIONS)


ELEMENT_BY_ELEMENT = [
    "t.apply_(lambda x: x + 1)", "t.t().apply_(lambda x: x * 2)", "(t.t().apply_(lambda x: x * 2), t)[1]", "t.apply_(3)",
    "t.apply_()", "t.apply_(lambda x: 'a')", "t.apply_(lambda x: None)", "(t.apply_(lambda x: 0), t._version)[1]",
    "t.requires_grad_().apply_(lambda x: x)", "t.long().apply_(lambda x: x / 2)", "(t > 2).apply_(lambda x: not x)",
    "t.byte().apply_(lambda x: -1)", "t.byte().apply_(lambda x: 300)", "t.map_(t, lambda a, b: a * b)",
    "t.map_(one, lambda a, b: a - b)", "t.map_(ns.ones(3), lambda a, b: a)", "t.map_(t.double(), lambda a, b: a)",
    "t.map_(3, lambda a, b: a)", "t.map2_(t, one, lambda a, b, c: a + b + c)", "t.half().apply_(lambda x: x + 0.5)",
]  # fmt: skip


@pytest.mark.parametrize("expression", ELEMENT_BY_ELEMENT)
def test_python_functions_element_by_element(torch, candidate, expression):
    same_outcomes(torch, candidate, [expression], matrix)


VARIABLES = [
    "V(t)", "V(t, requires_grad=True)", "V(data=t)", "V([1, 2])", "V(3)", "V()", "V(ns.nn.Parameter(t))",
    "V(t).data_ptr() == t.data_ptr()",
    "isinstance(t, V)", "isinstance(3, V)", "isinstance(ns.nn.Parameter(t), V)", "V(t * 2, True).is_leaf",
    "(V(t).add_(1), t)[1]", "V(t, True).sum().backward()",
]  # fmt: skip


def test_variables(torch, candidate):
    same_outcomes(torch, candidate, VARIABLES, lambda ns: {"V": ns.autograd.Variable, **matrix(ns)})


WARNED_OF = [
    "ns.cuda.amp.autocast()", "ns.cuda.amp.autocast(enabled=False)", "ns.cuda.amp.GradScaler()", "ns.autocast('cuda')",
    "ns.cuda.amp.GradScaler(enabled=False)", "ns.amp.autocast('cuda', enabled=False)", "ns.amp.GradScaler('cuda')",
    "ns.GradScaler()", "ns.autocast(device_type='cuda', dtype=ns.float16)", "ns.autocast('cpu', enabled=False)",
    "ns.autocast('cpu', dtype=ns.float32)", "ns.autocast(3)", "ns.cuda.memory_cached()", "ns.cuda.max_memory_cached()",
    "ns.autograd.Variable(ns.ones(1), volatile=True)", "ns.ones(1).volatile", "ns.set_float32_matmul_precision('foo')",
    "ns.backends.cuda.sdp_kernel()",
]  # fmt: skip


@pytest.mark.parametrize("expression", WARNED_OF)
def test_warnings(torch, candidate, expression):
    def program(ns):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            kind = outcome(ns, expression, {})[0]
        return kind, [(each.category.__name__, str(each.message).partition(" (Triggered")[0]) for each in caught]

    same(torch, candidate, program)


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")
def test_mixed_precision_without_a_gpu(torch, candidate):
    def program(ns):
        ns.manual_seed(0)
        layer = ns.nn.Linear(2, 1)
        optimiser = ns.optim.SGD(layer.parameters(), 0.5)
        scaler = ns.cuda.amp.GradScaler()
        with ns.cuda.amp.autocast():
            loss = layer(ns.ones(1, 2)).sum()
        scaler.scale(loss).backward()
        scaler.unscale_(optimiser)
        scaler.step(optimiser)
        scaler.update()
        return scaler.is_enabled(), scaler.get_scale(), scaler.state_dict(), str(loss.dtype)[-7:], layer.weight.grad

    same(torch, candidate, program)


REFUSED = {
    "jit.script": "(len)", "jit.trace": "(len, 1)", "jit.load": "('x')", "jit.ScriptModule": "()", "hub.load": "('a', 'b')",
    "hub.download_url_to_file": "('a', 'b')", "GradScaler": "('cpu')", "autocast": "('cpu')",
    "multiprocessing.spawn": "(len)", "distributed.init_process_group": "('gloo')",
    "Tensor.to_sparse": "(ns.ones(1))",
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_is_named(candidate, name):
    with pytest.raises(NotImplementedError, match=name):
        eval(f"ns.{name}{REFUSED[name]}", {"ns": candidate})


def test_tensorboard_is_not_there(candidate):
    with pytest.raises(ImportError, match="tensorboard"):
        __import__(f"{candidate.__name__}.utils.tensorboard")


_OLDER_NAMES = {
    "has_cuda": lambda ns: ns.has_cuda,
    "has_mps": lambda ns: ns.has_mps,
    "autocast dtypes": lambda ns: [str(ns.get_autocast_dtype(each))[-8:] for each in ("cpu", "cuda", "mps", "xpu")],
    "autocast dtype of nothing": lambda ns: ns.get_autocast_dtype(),
    "autocast dtype of a number": lambda ns: ns.get_autocast_dtype(3),
    "storages": lambda ns: (
        ns.storage.UntypedStorage is type(ns.ones(1).untyped_storage()),
        ns.storage.TypedStorage.__name__,
    ),
    "module of storages": lambda ns: ns.storage.UntypedStorage.__module__.partition(".")[2],
    "attention among activations": lambda ns: ns.nn.modules.activation.MultiheadAttention is ns.nn.MultiheadAttention,
    "Final": lambda ns: ns.jit.Final,
    "layouts": lambda ns: [
        repr(getattr(ns, each)) for each in ("sparse_coo", "sparse_csr", "sparse_bsr", "jagged", "strided")
    ],
    "layout of a tensor": lambda ns: (
        ns.ones(1).layout == ns.sparse_coo,
        ns.layout.__module__.replace(ns.__name__, "torch"),
    ),
    "clip_grad_norm": lambda ns: _clipped(ns, ns.ones(2, requires_grad=True)),
    "what there is not": lambda ns: [hasattr(ns, each) for each in ("npu", "_nothing", "hpu")],
}


def _clipped(ns, x):
    (x * 3).sum().backward()
    return ns.nn.utils.clip_grad_norm(x, 1.0), x.grad


@pytest.mark.parametrize("name", _OLDER_NAMES)
def test_names_that_scripts_still_use(torch, candidate, name):
    def program(ns):
        importlib.import_module(f"{ns.__name__}.storage")
        return warned(ns, _OLDER_NAMES[name])

    same(torch, candidate, program)
