"""The signature is the declaration, and a wrong one is told so."""

from __future__ import annotations

import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance import implementation
from conformance.contract.capabilities import CHOICES, LAYOUTS, OPTIONS, STAGES
from conformance.contract.implementation import installed_version
from conformance.errors import AdapterError

KEYWORDS = ("dtypes", "targets", "shapes", "target_dtypes")


def loss(logits, target, *, reduction="mean"):
    """The first line describes it.

    The rest does not.
    """
    return logits, target, reduction


def declare(function=loss, *, name="mine", dtypes=("float32",), **keywords):
    return implementation(name, dtypes=dtypes, **keywords)(function)


def with_parameters(names):
    """A function whose signature has these options."""

    def function(logits, target, **options):
        return options

    kinds = inspect.Parameter
    function.__signature__ = inspect.Signature(
        [kinds(name, kinds.POSITIONAL_ONLY) for name in ("logits", "target")]
        + [kinds(name, kinds.KEYWORD_ONLY, default=None) for name in names]
    )
    return function


@given(st.sets(st.sampled_from(OPTIONS)))
def test_the_options_are_the_parameters_of_the_signature(names):
    reductions = None if "reduction" in names else ("sum",)
    declared = declare(with_parameters(names), reductions=reductions)
    assert declared.capabilities.options == names


@given(st.sets(st.sampled_from(OPTIONS), min_size=1))
def test_a_function_that_forwards_declares_what_it_lists(names):
    def function(logits, target, **options):
        return options

    reductions = None if "reduction" in names else ("none",)
    declared = declare(function, options=sorted(names), reductions=reductions)
    assert declared.capabilities.options == names


@given(st.data())
def test_what_a_signature_cannot_say_is_declared_as_written(data):
    lists = {
        key: tuple(data.draw(st.lists(st.sampled_from(CHOICES[key]), min_size=1, unique=True)))
        for key in KEYWORDS
    }
    capabilities = declare(**lists).capabilities
    assert {key: getattr(capabilities, key) for key in KEYWORDS} == lists


def test_a_minimal_declaration_has_the_documented_defaults():
    capabilities = declare().capabilities
    assert capabilities.options == {"reduction"}
    assert capabilities.devices == ("cpu",)
    assert capabilities.targets == ("indices",)
    assert capabilities.shapes == ("batched",)
    assert capabilities.reductions == ("none", "mean", "sum")
    assert capabilities.target_dtypes == ("int64",)
    assert capabilities.layouts == LAYOUTS
    assert not capabilities.gradient
    assert capabilities.stages == ()
    assert not capabilities.stage_gradients


def test_an_implementation_knows_its_description_file_and_version():
    declared = declare(distribution="numpy")
    assert declared.description == "The first line describes it."
    assert declared.source.name == "test_declarations.py"
    assert declared.version == installed_version("numpy")
    assert declare().version is None
    assert declare(description="my own words").description == "my own words"


def test_a_distribution_that_is_not_installed_has_no_version():
    assert installed_version("no-such-distribution-anywhere") is None


def test_a_decorated_function_and_its_pieces_remain_callable():
    declared = declare()
    assert declared(1, 2, reduction="sum") == (1, 2, "sum")

    @declared.softmax
    def softmax(logits):
        return ("softmax", logits)

    @softmax.vjp
    def pulled(cotangent, logits):
        return (cotangent, logits)

    @declared.vjp
    def gradient(cotangent, logits, target, **options):
        return options

    assert softmax(3) == ("softmax", 3)
    assert pulled(4, 5) == (4, 5)
    assert gradient(1, 2, 3, reduction="sum") == {"reduction": "sum"}


def test_a_vjp_gives_a_numpy_implementation_its_gradient():
    declared = declare()

    @declared.vjp
    def _(cotangent, logits, target, *, reduction="mean"): ...

    assert declared.capabilities.gradient


def test_stages_are_listed_and_have_gradients_once_each_has_its_vjp():
    declared = declare()

    @declared.nll_loss
    def _(log_p, target, *, reduction="mean"): ...

    @_.vjp
    def _(cotangent, log_p, target, *, reduction="mean"): ...

    @declared.softmax
    def _(logits): ...

    assert declared.capabilities.stages == ("softmax", "nll_loss")
    assert not declared.capabilities.stage_gradients

    @_.vjp
    def _(cotangent, logits): ...

    assert declared.capabilities.stage_gradients
    assert not declared.capabilities.gradient


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"dtypes": ("float23",)}, r"mine: dtypes has no 'float23' \(did you mean 'float32'\?\)"),
        ({"dtypes": "float32"}, r'mine: dtypes is a tuple of names: write dtypes=\("float32",\)'),
        ({"dtypes": ()}, r"mine: dtypes is empty"),
        ({"targets": ("index",)}, r"targets has no 'index' \(did you mean 'indices'\?\)"),
        ({"shapes": ("batch",)}, r"shapes has no 'batch' \(did you mean 'batched'\?\)"),
        ({"target_dtypes": ("float32",)}, r"target_dtypes has no 'float32'"),
        ({"reductions": ("average",)}, r"reductions has no 'average'; there are none, mean, sum"),
        ({"devices": "cuda"}, r'devices is a tuple: write devices=\("cuda",\)'),
        ({"links": "https://example.org"}, r"links is a tuple"),
        ({"framework": "pytorch"}, r"no framework 'pytorch' \(did you mean 'torch'\?\)"),
        ({"name": "My loss!"}, r"'My loss!' is not a name .*, as in 'my-loss'"),
        ({"name": ""}, r"'' is not a name"),
        ({"name": loss}, r'@implementation\("my-loss"'),
        (
            {"options": ("reduction",)},
            r"options=\.\.\. goes with a function that takes \*\*options",
        ),
    ],
)
def test_a_malformed_declaration_says_what_to_do(keywords, message):
    with pytest.raises(AdapterError, match=message):
        declare(**keywords)


def misspelt(logits, target, *, wieght=None, reduction="mean"): ...
def variadic(*arrays, **options): ...
def one_argument(logits): ...
def swapped(target, logits, *, reduction="mean"): ...
def no_target(logits, weight=None, *, reduction="mean"): ...
def positional_option(logits, target, weight=None, /, reduction="mean"): ...
def required_option(logits, target, *, weight, reduction="mean"): ...
def extra_arguments(logits, target, *more, reduction="mean"): ...
def forwarding(logits, target, **options): ...
def no_reduction(logits, target): ...


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (misspelt, r"mine: unknown parameter 'wieght' \(did you mean 'weight'\?\)"),
        (variadic, r"does not take 2 arguments by position"),
        (one_argument, r"does not take 2 arguments by position"),
        (swapped, r"has 'target' where 'logits' belongs"),
        (no_target, r"has 'weight' where 'target' belongs"),
        (positional_option, r"'weight' must be a keyword"),
        (required_option, r"'weight' needs a default"),
        (extra_arguments, r"drop \*more"),
        (forwarding, r"\*\*options does not say which: list them"),
        (no_reduction, r'without a reduction parameter .* write reductions=\("none",\)'),
        (max, r"shows no signature: wrap it in a def"),
    ],
)
def test_a_signature_that_the_suite_cannot_call_is_told_so(function, message):
    with pytest.raises(AdapterError, match=message):
        declare(function)


def test_an_implementation_without_a_reduction_parameter_names_the_one_it_computes():
    assert declare(no_reduction, reductions=("sum",)).capabilities.reductions == ("sum",)
    with pytest.raises(AdapterError, match="the one reduction"):
        declare(no_reduction, reductions=("sum", "mean"))


def test_an_option_that_does_not_exist_cannot_be_listed():
    with pytest.raises(AdapterError, match=r"options has no 'wieght' .did you mean 'weight'"):
        declare(forwarding, options=("wieght",))


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_is_given_once(stage):
    declared = declare()
    function = loss if stage == "nll_loss" else (lambda logits: logits)
    getattr(declared, stage)(function)
    with pytest.raises(AdapterError, match=f"mine: stage {stage} is given twice"):
        getattr(declared, stage)(function)


def test_a_vjp_is_given_once():
    declared = declare()

    def gradient(cotangent, logits, target, **options): ...

    declared.vjp(gradient)
    with pytest.raises(AdapterError, match="mine: the vjp is given twice"):
        declared.vjp(gradient)
    stage = declared.softmax(lambda logits: logits)
    stage.vjp(lambda cotangent, logits: logits)
    with pytest.raises(AdapterError, match="mine: the vjp of stage softmax is given twice"):
        stage.vjp(lambda cotangent, logits: logits)


def test_a_piece_takes_every_option_that_the_loss_takes():
    declared = declare(with_parameters(("weight", "reduction", "label_smoothing")))
    with pytest.raises(AdapterError, match="mine: stage nll_loss lacks weight, which"):
        declared.nll_loss(loss)
    with pytest.raises(AdapterError, match="mine: the vjp lacks label_smoothing, weight"):
        declared.vjp(lambda cotangent, logits, target, *, reduction="mean": logits)
    declared.nll_loss(lambda log_p, target, *, weight=None, reduction="mean": log_p)
    declared.vjp(lambda cotangent, logits, target, **options: logits)


def test_the_negative_log_likelihood_knows_no_label_smoothing():
    declared = declare(with_parameters(("label_smoothing", "reduction")))
    with pytest.raises(AdapterError, match="unknown parameter 'label_smoothing'"):
        declared.nll_loss(lambda log_p, target, *, label_smoothing=0.0, reduction="mean": log_p)
