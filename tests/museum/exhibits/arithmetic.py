"""Exhibits whose arithmetic is wrong: stability, accuracy, special values, tiles, stages."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
from faithful import Array, Batch, Faithful

# -- definition ----------------------------------------------------------------------------------


class LogOfClippedProbabilities(Faithful):
    """The stage softmax clips probabilities at 1e-7: the loss by steps ends at 16.1."""

    fails = "steps-equal-fused-loss"
    link = "https://github.com/keras-team/tf-keras/issues/242"
    entries = ("STB-04",)

    def softmax_stage(self, logits: Array) -> Array:
        return np.clip(super().softmax_stage(logits), 1e-7, 1 - 1e-7).astype(logits.dtype)


class LogOfProbabilitiesAboveAFloor(Faithful):
    """The stage softmax keeps probabilities above 1e-4: the loss by steps ends at 9.2."""

    fails = "steps-equal-fused-loss"
    link = "https://github.com/tensorflow/tfjs-core/pull/1133"
    entries = ("STB-11",)
    dtype = "float64"

    def softmax_stage(self, logits: Array) -> Array:
        return np.maximum(super().softmax_stage(logits), logits.dtype.type(1e-4))


class OneDistributionInSoftmaxBackward(Faithful):
    """The softmax stage's vjp sums over the whole batch, not over each row."""

    fails = "steps-equal-fused-gradient"
    link = "https://github.com/apache/singa/issues/578"
    entries = ("SHP-10",)

    def softmax_stage_vjp(self, cotangent: Array, logits: Array) -> Array:
        p, g = (self.widened(self.rows(a)) for a in (self.softmax_stage(logits), cotangent))
        return self.placed(p * (g - (p * g).sum()), logits)


class LogAfterSoftmax(Faithful):
    """The stage log_softmax takes the logarithm of the softmax: -inf where p underflows."""

    fails = "log-softmax-nll-equals-fused"
    link = "https://github.com/NVIDIA/Megatron-LM/pull/5522"
    entries = ("STB-08",)

    def log_softmax_stage(self, logits: Array) -> Array:
        return self.placed(np.log(self.softmax(self.widened(self.rows(logits)))), logits)


class TailTileDropped(Faithful):
    """Classes beyond the last full tile of four do not count in the sum."""

    fails = "worked-example"
    link = "https://github.com/tenstorrent/tt-metal/issues/53209"
    entries = ("BLK-10",)

    def class_sum(self, terms: Array) -> Array:
        tiles = terms.shape[1] - terms.shape[1] % 4
        return super().class_sum(terms[:, :tiles] if tiles else terms)


class OddClassCountsLoseTheirLast(Faithful):
    """From 513 to 1023 odd classes, rows after the first lose the last class of the sum."""

    fails = "accurate"
    link = "https://github.com/pytorch/pytorch/issues/143644"
    entries = ("BLK-01",)
    dtype = "float64"

    def class_sum(self, terms: Array) -> Array:
        if 512 < terms.shape[1] < 1024 and terms.shape[1] % 2:
            terms = terms.copy()
            terms[1:, -1] = 0
        return super().class_sum(terms)


class LogarithmInBaseTwo(Faithful):
    """exp2 and log2, and the factor log 2 forgotten at the end."""

    fails = "loss-formula"
    entries = ("SYN-01",)
    dtype = "bfloat16"

    def log_softmax(self, x: Array) -> Array:
        return super().log_softmax(x) / np.log(x.dtype.type(2))


# -- accuracy ------------------------------------------------------------------------------------


class LogOfProbabilityPlusEpsilon(Faithful):
    """log(p + 1e-7): losses end at 16.1, all others are a little too small."""

    fails = "accurate"
    link = "https://github.com/keras-team/tf-keras/issues/242"
    entries = ("SYN-02",)

    def log_softmax(self, x: Array) -> Array:
        return np.log(self.softmax(x) + x.dtype.type(1e-7))


class LogOfProbabilityAtLeast(Faithful):
    """log(max(p, 1e-20)): losses end at 46.05."""

    fails = "accurate"
    link = "https://github.com/Oneflow-Inc/oneflow/pull/5418"
    entries = ("STB-03",)

    def log_softmax(self, x: Array) -> Array:
        return np.log(np.maximum(self.softmax(x), x.dtype.type(1e-20)))


class LogitsRoundedToBfloat16(Faithful):
    """Logits are cast to bfloat16 first, as under autocast."""

    fails = "accurate"
    link = "https://github.com/pytorch/xla/pull/7992"
    entries = ("DTY-13",)

    def shifted(self, x: Array) -> Array:
        return super().shifted(x.astype(ml_dtypes.bfloat16).astype(x.dtype))


def added_in(dtype: Any, terms: Array) -> Array:
    """The sum over the classes, each partial sum rounded to ``dtype``."""
    total = np.zeros((len(terms), 1), dtype)
    for column in terms.astype(dtype).T:
        total = (total + column[:, None]).astype(dtype)
    return total.astype(terms.dtype)


class SumInBfloat16(Faithful):
    """The sum over the classes is accumulated in bfloat16, where 256 + 1 = 256."""

    fails = "accumulates-in-float32"
    link = "https://github.com/tenstorrent/tt-metal/issues/52131"
    entries = ("DTY-05", "DTY-10")
    dtype = "bfloat16"
    spares = ("accurate",)

    def class_sum(self, terms: Array) -> Array:
        return added_in(ml_dtypes.bfloat16, terms)


class SumInFloat16(Faithful):
    """The sum over the classes is accumulated in float16."""

    fails = "accumulates-in-float32"
    link = "https://github.com/pytorch/pytorch/pull/187053"
    entries = ("STB-12",)
    dtype = "float16"
    spares = ("accurate",)

    def class_sum(self, terms: Array) -> Array:
        return added_in(np.float16, terms)


class LogSumExpFirst(Faithful):
    """m + log s is rounded before the logit is subtracted from it."""

    fails = "offset-costs-nothing"
    link = "https://github.com/pytorch/pytorch/pull/195829"
    entries = ("STB-02",)
    spares = ("accurate",)

    def log_softmax(self, x: Array) -> Array:
        m = x.max(1, keepdims=True)
        return x - (m + np.log(self.class_sum(np.exp(x - m))))


class SoftmaxOfAStoredLogSumExp(Faithful):
    """The backward pass takes exp(x - lse) of a log-sum-exp that was stored as the logits are."""

    fails = "offset-costs-the-gradient-nothing"
    dtype = "float16"
    spares = ("accurate", "offset-costs-nothing")

    def row_gradients(self, b: Batch, k: Array, p: Array, g: Array) -> Array:
        m = b.x.max(1, keepdims=True)
        lse = m + np.log(self.class_sum(np.exp(b.x - m)))
        return super().row_gradients(b, k, np.exp(b.x - lse.astype(b.logits.dtype)), g)


class SoftmaxOfAStoredLogSumExpInFloat32(SoftmaxOfAStoredLogSumExp):
    """The same in float32."""

    dtype = "float32"


class LogSumExpFirstInFloat64(LogSumExpFirst):
    """The same in float64, where the offset must be larger to show."""

    link = "https://github.com/pytorch/pytorch/issues/38839"
    entries = ("STB-01",)
    dtype = "float64"


class MeanOfASumInFloat16(Faithful):
    """The losses of a batch are summed in float16 before they are divided."""

    fails = "finite-mean"
    link = "https://github.com/pytorch/pytorch/issues/61523"
    entries = ("DTY-01", "DTY-09", "DTY-12")
    dtype = "float16"
    spares = ("accurate", "accumulates-in-float32")

    def reduced(self, b: Batch, losses: Array) -> Array:
        if b.reduction != "mean":
            return super().reduced(b, losses)
        total = losses.sum().astype(b.logits.dtype)
        return np.asarray(total / self.divisor(b))


# -- stability -----------------------------------------------------------------------------------


class NoMaximumSubtracted(Faithful):
    """exp of the logits as they are: it overflows."""

    fails = "finite-for-finite"
    link = "https://github.com/tenstorrent/tt-metal/issues/52131"
    entries = ("STB-09",)

    def shifted(self, x: Array) -> Array:
        return x


class GradientThroughUnderflow(Faithful):
    """log_softmax backwards as softmax backwards of g / p: 0 / 0 where p underflows."""

    fails = "finite-for-finite"
    link = "https://github.com/FluxML/NNlib.jl/issues/68"
    entries = ("STB-05",)

    def row_gradients(self, b: Batch, k: Array, p: Array, g: Array) -> Array:
        d = -k * g.reshape(-1, 1) / p
        return np.where(b.kept[:, None], p * (d - (p * d).sum(1, keepdims=True)), 0)


class MaximumStartsAtZero(Faithful):
    """Idle lanes take part in the maximum as zeros: logits all far below 0 underflow together."""

    fails = "shift-invariance"
    link = "https://github.com/m0at/rvllm/pull/1"
    entries = ("BLK-05",)

    def shifted(self, x: Array) -> Array:
        return x - np.maximum(x.max(1, keepdims=True), 0)


class MaximumOverTheBatch(Faithful):
    """One maximum for all rows: rows far below it underflow."""

    fails = "splitting-the-batch"
    link = "https://github.com/manassharma07/crysx_nn/issues/7"
    entries = ("STB-07",)

    def shifted(self, x: Array) -> Array:
        return x - x.max()


class LastRowOfAnOddBatch(Faithful):
    """In a batch of odd size the last row is divided by the sum of the row before it."""

    fails = "row-permutation"
    entries = ("SYN-10",)

    def class_sum(self, terms: Array) -> Array:
        sums = super().class_sum(terms)
        if len(sums) > 1 and len(sums) % 2:
            sums[-1] = sums[-2]
        return sums


class SmoothingSeesTheFirstShard(Faithful):
    """The uniform part of label smoothing is the mean over the first half of the classes."""

    fails = "class-permutation"
    link = "https://github.com/NVIDIA/Megatron-LM/issues/737"
    entries = ("PAR-01",)

    def smoothed(self, b: Batch) -> Array:
        shard = (b.classes + 1) // 2
        number = b.x.dtype.type
        local = np.where(np.arange(b.classes) < shard, number(b.e / shard), number(0))
        return number(1 - b.e) * b.q + local


# -- special values ------------------------------------------------------------------------------


class ZeroTimesInfinity(Faithful):
    """A sum of q log p over all classes: 0 x -inf is NaN at a masked class."""

    fails = "masked-classes"
    link = "https://github.com/google-deepmind/optax/issues/896"
    entries = ("SPV-01", "SPV-08", "SPV-13")

    def row_losses(self, b: Batch, k: Array, log_p: Array) -> Array:
        return (-k * log_p).sum(1)


class OnlineMergeWithoutGuard(Faithful):
    """Tiles of two classes are merged by exp(m - m'), NaN where both are -inf."""

    fails = "masked-classes"
    link = "https://github.com/Dao-AILab/flash-attention/issues/1930"
    entries = ("SPV-04",)
    dtype = "bfloat16"

    def log_softmax(self, x: Array) -> Array:
        m, s = np.full((len(x), 1), -np.inf, x.dtype), np.zeros((len(x), 1), x.dtype)
        for tile in (x[:, start : start + 2] for start in range(0, x.shape[1], 2)):
            m, old = np.maximum(m, tile.max(1, keepdims=True)), m
            s = s * np.exp(old - m) + np.exp(tile - m).sum(1, keepdims=True)
        return x - m - np.log(s)


class InfinityMadeFinite(Faithful):
    """-inf becomes a large finite number on the way in."""

    fails = "masked-target-is-infinite"
    link = "https://github.com/tenstorrent/tt-metal/issues/56056"
    entries = ("SPV-09",)

    def shifted(self, x: Array) -> Array:
        return super().shifted(np.maximum(x, x.dtype.type(-1e4)))


class NanSwallowed(Faithful):
    """nan_to_num on the loss."""

    fails = "nan-is-kept"
    entries = ("SYN-18",)

    def finished(self, b: Batch, result: Array) -> Array:
        return super().finished(b, np.nan_to_num(result, nan=0.0))


class MaximumDropsNan(Faithful):
    """The row's maximum ignores NaN, and so does the sum."""

    fails = "nan-is-kept"
    link = "https://github.com/intel/torch-xpu-ops/pull/5022"
    entries = ("SPV-10",)
    dtype = "float16"

    def shifted(self, x: Array) -> Array:
        return x - np.fmax.reduce(x, axis=1, keepdims=True)

    def class_sum(self, terms: Array) -> Array:
        return np.nansum(terms, axis=1, keepdims=True)
