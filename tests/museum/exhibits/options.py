"""Exhibits that get an option wrong: weight, ignore_index, smoothing, probabilities, reduction."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from faithful import Array, Batch, Faithful

# -- weight --------------------------------------------------------------------------------------


class WeightGatheredBeforeTheMask(Faithful):
    """With smoothing, weights are gathered at the labels as they are, ignored ones too."""

    fails = "loss-formula"
    link = "https://github.com/pytorch/pytorch/issues/69339"
    entries = ("IGN-03",)
    dtype = "float64"

    def divisor(self, b: Batch) -> Any:
        if b.weighted and b.e and b.labels is not None:
            return (b.w[b.labels] * b.kept).sum()
        return super().divisor(b)


class DivisorGuardedByItsSign(Faithful):
    """The mean is divided by the sum of the weights only where that is positive."""

    fails = "weight-formula"
    link = "https://github.com/pytorch/pytorch/issues/31295"
    entries = ("WGT-01",)

    def divisor(self, b: Batch) -> Any:
        total = super().divisor(b)
        return total if total > 0 else b.x.dtype.type(1)


class DivisorCountsRows(Faithful):
    """The weighted mean is divided by the number of rows."""

    fails = "weight-formula"
    link = "https://github.com/DeepLink-org/DIOPI/pull/508"
    entries = ("WGT-06", "WGT-07")
    dtype = "bfloat16"

    def divisor(self, b: Batch) -> Any:
        return super().divisor(replace(b, w=np.ones_like(b.w)))


class WeightsOfIgnoredRowsCount(Faithful):
    """Where weights are given, the mean's divisor has those of ignored rows too."""

    fails = "unit-weights-change-nothing"
    link = "https://github.com/tracel-ai/burn/issues/5568"
    entries = ("RED-02",)

    def divisor(self, b: Batch) -> Any:
        if not b.weighted or b.labels is None:
            return super().divisor(b)
        return b.w[np.clip(b.labels, 0, b.classes - 1)].sum()


class WeightsSkippedBackwards(Faithful):
    """The gradient skips rows whose weight is not positive."""

    fails = "gradient-formula"
    link = "https://github.com/pytorch/pytorch/issues/64256"
    entries = ("WGT-02", "SEC-03")
    dtype = "float64"

    def gradient_coefficients(self, b: Batch) -> Array:
        k = self.coefficients(b)
        return k if b.soft else k * ((b.w * b.q).sum(1, keepdims=True) > 0)


class WeightNeverZero(Faithful):
    """Weights are kept from 0 by a small constant, in the gradient."""

    fails = "zero-weight-is-silent"

    def gradient_coefficients(self, b: Batch) -> Array:
        return self.coefficients(replace(b, w=np.where(b.w == 0, b.w.dtype.type(1e-12), b.w)))


# -- ignore_index --------------------------------------------------------------------------------


class MeanOverAllRows(Faithful):
    """The mean is divided by all rows, ignored or not."""

    fails = "ignored-rows-are-dropped"
    link = "https://github.com/open-mmlab/mmsegmentation/issues/886"
    entries = ("RED-01", "RED-06", "RED-09", "JIT-05")

    def divisor(self, b: Batch) -> Any:
        return super().divisor(b) if b.soft else b.kept.size


class NegativeIndexCountsAllRows(Faithful):
    """Ignored rows leave the mean's divisor only where ignore_index is a class."""

    fails = "ignored-rows-are-dropped"
    link = "https://github.com/PaddlePaddle/Paddle/pull/76033"
    entries = ("RED-03",)
    dtype = "bfloat16"

    def divisor(self, b: Batch) -> Any:
        return super().divisor(b) if b.ignore_index >= 0 or b.soft else b.kept.size


class SmoothingOfIgnoredRows(Faithful):
    """The uniform part of label smoothing is added for ignored rows too."""

    fails = "ignored-rows-are-dropped"
    link = "https://github.com/pytorch/pytorch/issues/73205"
    entries = ("IGN-04", "IGN-05")
    dtype = "float64"

    def coefficients(self, b: Batch) -> Array:
        return b.w * self.smoothed(b)


class IgnoreIndexByItsSize(Faithful):
    """ignore_index loses its sign."""

    fails = "ignored-rows-are-dropped"
    link = "https://github.com/ROCm/AMDMIGraphX/pull/3008"
    entries = ("IGN-20",)

    def kept(self, labels: Array, ignore_index: int) -> Any:
        return labels != abs(ignore_index)


class GradientOverAllRows(Faithful):
    """The gradient of the mean is divided by all rows; the loss is right."""

    fails = "ignored-rows-are-dropped-from-the-gradient"
    link = "https://github.com/NVIDIA/TransformerEngine/pull/2476"
    entries = ("RED-05",)

    def row_cotangents(self, b: Batch, g: Array) -> Array:
        if b.reduction == "mean" and not b.soft:
            return g / ((b.w * b.q).sum() / b.kept.sum() * b.kept.size)
        return super().row_cotangents(b, g)


class IgnoredRowsHaveAGradient(Faithful):
    """The mask is missing in the gradient: p - onehot for every row."""

    fails = "ignored-rows-are-exactly-zero"
    link = "https://github.com/PaddlePaddle/Paddle/pull/28622"
    entries = ("IGN-09",)

    def row_gradients(self, b: Batch, k: Array, p: Array, g: Array) -> Array:
        if b.labels is not None:
            wrong = np.where(b.kept[:, None], k, np.eye(b.classes)[b.labels % b.classes])
            return (g.reshape(-1, 1) * (p * wrong.sum(1, keepdims=True) - wrong)).astype(k.dtype)
        return super().row_gradients(b, k, p, g)


class IgnoredRowsNeverWritten(Faithful):
    """Losses of ignored rows keep whatever was in memory."""

    fails = "ignored-rows-are-exactly-zero"
    link = "https://github.com/pytorch/pytorch/issues/20406"
    entries = ("IGN-18",)
    dtype = "float16"

    def shaped(self, b: Batch, losses: Array) -> Array:
        return super().shaped(b, np.where(b.kept, losses, 7.5))


class MaskedByMultiplication(Faithful):
    """Ignored rows are multiplied by 0: NaN stays NaN."""

    fails = "garbage-in-ignored-rows-is-harmless"
    link = "https://github.com/sooftware/kospeech/issues/37"
    entries = ("SPV-11",)

    def row_losses(self, b: Batch, k: Array, log_p: Array) -> Array:
        return (np.where(k == 0, 0 * log_p, -k * log_p)).sum(1)


class GradientMaskedByMultiplication(Faithful):
    """The same in the gradient alone: p x 0 in an ignored row."""

    fails = "garbage-in-ignored-rows-is-harmless"
    link = "https://github.com/google-deepmind/optax/issues/1335"
    entries = ("SPV-11",)
    dtype = "bfloat16"

    def row_gradients(self, b: Batch, k: Array, p: Array, g: Array) -> Array:
        return g.reshape(-1, 1) * (p * k.sum(1, keepdims=True) - k) * b.kept[:, None]


class MeanOfNothingIsZero(Faithful):
    """The mean of no rows is 0, where 0/0 is NaN."""

    fails = "mean-of-nothing"
    link = "https://github.com/huggingface/candle/pull/3161"
    entries = ("DEG-05",)

    def divisor(self, b: Batch) -> Any:
        return super().divisor(b) if b.kept.any() else b.x.dtype.type(1)


# -- reduction -----------------------------------------------------------------------------------


class MeanOfMeans(Faithful):
    """Rows in two groups: the mean is the mean of the groups' weighted means."""

    fails = "reductions-agree"
    link = "https://github.com/pytorch/pytorch/issues/185167"
    entries = ("PAR-03", "PAR-09", "ACC-01", "ACC-04", "ACC-05")

    def reduced(self, b: Batch, losses: Array) -> Array:
        half = len(losses) // 2
        if b.reduction != "mean" or b.soft or not half:
            return super().reduced(b, losses)
        weights = (b.w * b.q).sum(1)
        parts = (slice(0, half), slice(half, None))
        return np.asarray(sum(losses[part].sum() / weights[part].sum() for part in parts) / 2)


class ChunksAddedUp(Faithful):
    """The means of chunks of two rows are added."""

    fails = "reductions-agree"
    link = "https://github.com/NVIDIA-NeMo/Automodel/issues/3803"
    entries = ("RED-07", "ACC-06")
    dtype = "bfloat16"

    def reduced(self, b: Batch, losses: Array) -> Array:
        chunks = (len(losses) + 1) // 2
        right = super().reduced(b, losses)
        return right * chunks if b.reduction == "mean" else right


class NoneIsSummed(Faithful):
    """reduction="none" gives a scalar."""

    fails = "result-shape"
    link = "https://github.com/linkedin/Liger-Kernel/pull/435"
    entries = ("RED-13",)

    def shaped(self, b: Batch, losses: Array) -> Array:
        return np.asarray(losses.sum())


class NoneIsFlat(Faithful):
    """reduction="none" gives one long vector for spatial logits."""

    fails = "result-shape"
    link = "https://github.com/NVIDIA-NeMo/Automodel/issues/3803"
    entries = ("SHP-12",)
    dtype = "float16"

    def shaped(self, b: Batch, losses: Array) -> Array:
        return losses


class AlwaysFloat32(Faithful):
    """The loss is float32 whatever the logits are."""

    fails = "result-dtype"
    link = "https://github.com/keras-team/keras/issues/15012"
    entries = ("SYN-15",)
    dtype = "float16"

    def finished(self, b: Batch, result: Array) -> Array:
        return result.astype(np.float32)


class GradientAlwaysFloat32(Faithful):
    """The gradient is float32 whatever the logits are."""

    fails = "gradient-dtype"
    dtype = "bfloat16"

    def placed(self, rows: Array, like: Array) -> Array:
        return super().placed(rows, like).astype(np.float32)


class OffsetsInTheDtypeOfTheLabels(Faithful):
    """The place of a label in memory, row x C + y, is computed in the dtype of the labels."""

    fails = "index-dtypes"
    link = "https://github.com/pytorch/pytorch/issues/85786"
    entries = ("IDX-01", "IDX-06", "IDX-08")

    def one_hot(self, labels: Array, kept: Any, classes: int) -> Array:
        super().one_hot(labels, kept, classes)
        row = np.arange(len(labels)).astype(labels.dtype)
        place = row * labels.dtype.type(classes) + np.where(kept, labels, 0).astype(labels.dtype)
        flat = np.zeros(len(labels) * classes)
        flat[place[kept] % flat.size] = 1
        return flat.reshape(-1, classes)


class ReduceFalseIgnored(Faithful):
    """reduce=False counts for nothing where size_average is given too."""

    fails = "legacy-arguments"

    def legacy(self, reduction: str, size_average: bool | None, reduce: bool | None) -> str:
        return super().legacy(reduction, size_average, None if size_average else reduce)


class DefaultIndexCountsAllRows(Faithful):
    """With the default ignore_index the mean is divided by all rows."""

    fails = "defaults"
    link = "https://github.com/flagos-ai/FlagGems/pull/73"
    entries = ("RED-15",)

    def divisor(self, b: Batch) -> Any:
        return super().divisor(b) if b.ignore_index != -100 or b.soft else b.kept.size


class SumByDefault(Faithful):
    """Without a reduction the losses are summed."""

    fails = "defaults"
    dtype = "bfloat16"

    def batch(self, logits: Array, target: Array, **options: Any) -> Batch:
        return super().batch(logits, target, **({"reduction": "sum"} | options))


# -- label smoothing -----------------------------------------------------------------------------


class SmoothingWeightedByTheTarget(Faithful):
    """The whole smoothed loss is scaled by the weight of the target's class."""

    fails = "smoothing-formula"
    link = "https://github.com/linkedin/Liger-Kernel/pull/420"
    entries = ("WGT-04",)

    def coefficients(self, b: Batch) -> Array:
        if b.soft:
            return super().coefficients(b)
        return np.where(b.kept[:, None], (b.w * b.q).sum(1, keepdims=True) * self.smoothed(b), 0)


class SmoothingOverTheOthers(Faithful):
    """e / (C - 1) for every class but the target's."""

    fails = "smoothing-formula"
    link = "https://github.com/ml-explore/mlx/pull/166"
    entries = ("LSM-05",)
    dtype = "float64"

    def smoothed(self, b: Batch) -> Array:
        others = max(1, b.classes - 1)
        return ((1 - b.e) * b.q + b.e / others * (1 - b.q)).astype(b.x.dtype)


class SmoothingForgottenBackwards(Faithful):
    """The gradient is p - onehot, whatever the smoothing."""

    fails = "smoothing-gradient"
    link = "https://github.com/linkedin/Liger-Kernel/pull/198"
    entries = ("GRD-13",)

    def gradient_coefficients(self, b: Batch) -> Array:
        return self.coefficients(replace(b, e=0.0))


class SmoothedTwice(Faithful):
    """Smoothing is applied to what is smooth already."""

    fails = "smoothing-is-affine"

    def smoothed(self, b: Batch) -> Array:
        return super().smoothed(replace(b, q=super().smoothed(b)))


# -- probabilities -------------------------------------------------------------------------------


class MeanOverTheClassesToo(Faithful):
    """The mean of probabilities is over all N x C products."""

    fails = "probabilities-formula"
    link = "https://github.com/pytorch/pytorch/pull/59824"
    entries = ("RED-14",)

    def divisor(self, b: Batch) -> Any:
        return b.x.dtype.type(b.x.size) if b.soft else super().divisor(b)


class ProbabilitiesMadeToSumToOne(Faithful):
    """Rows of probabilities are silently normalised."""

    fails = "probabilities-formula"
    link = "https://github.com/keras-team/tf-keras/issues/47"
    entries = ("SFT-05",)
    dtype = "float16"

    def smoothed(self, b: Batch) -> Array:
        q = b.q / b.q.sum(1, keepdims=True) if b.soft else b.q
        return super().smoothed(replace(b, q=q))


class ProbabilitiesTakenToSumToOne(Faithful):
    """The gradient is p - q, also where q does not sum to one."""

    fails = "probabilities-gradient"
    link = "https://github.com/tensorflow/tensorflow/issues/60314"
    entries = ("SFT-01", "SFT-03")

    def row_gradients(self, b: Batch, k: Array, p: Array, g: Array) -> Array:
        return g.reshape(-1, 1) * (p - k) if b.soft else super().row_gradients(b, k, p, g)


class ProbabilitiesNotSmoothed(Faithful):
    """Label smoothing is for class indices alone."""

    fails = "one-hot-equals-index"
    link = "https://github.com/pytorch/pytorch/pull/63122"
    entries = ("SFT-06",)

    def smoothed(self, b: Batch) -> Array:
        return b.q if b.soft else super().smoothed(b)
