"""The catalogue of faults that the museum answers for: code, thread on GitHub, what was wrong.

Codes name a class and a number: STB stability, RED reduction denominators, WGT weights, IGN
ignore_index, LSM label smoothing, SFT probabilities, SHP shapes, DTY precision, IDX index width,
MEM memory, SPV special values, DEG empty sizes, INV invalid input, GRD gradients, SEC second order,
RACE races, BLK tiles, PAR shards, JIT compilers, ACC accumulation.  SYN are plausible faults
without a report; theirs, and one more, have no thread: "-".
"""

from __future__ import annotations

from dataclasses import dataclass

_CATALOGUE = """
STB-01 pytorch/pytorch/issues/38839 logits of a large common offset lose all digits
STB-02 pytorch/pytorch/pull/195829 the loss rebuilt as log-sum-exp less a logit
STB-03 Oneflow-Inc/oneflow/pull/5418 log(max(p, 1e-20)): no loss beyond 46
STB-04 keras-team/tf-keras/issues/242 probabilities clipped at 1e-7: no loss beyond 16
STB-05 FluxML/NNlib.jl/issues/68 log_softmax backwards through g / p
STB-06 clab/dynet/issues/218 0 / 0 in the backward sum where p underflows
STB-07 manassharma07/crysx_nn/issues/7 one maximum for the whole batch
STB-08 NVIDIA/Megatron-LM/pull/5522 log after softmax, with smoothing only
STB-09 tenstorrent/tt-metal/issues/52131 no maximum subtracted; overflow becomes 0
STB-10 scikit-learn/scikit-learn/issues/24315 an epsilon of 1e-15 that narrow formats cannot hold
STB-11 tensorflow/tfjs-core/pull/1133 small probabilities flushed to 0, or clipped at 1e-4
STB-12 pytorch/pytorch/pull/187053 a denominator in float16 that underflows
RED-01 open-mmlab/mmsegmentation/issues/886 the mean counts ignored rows
RED-02 tracel-ai/burn/issues/5568 the weighted mean counts ignored rows
RED-03 PaddlePaddle/Paddle/pull/76033 the mean counts ignored rows if the index is negative
RED-04 pytorch/xla/issues/859 negative labels as empty one-hot rows that count
RED-05 NVIDIA/TransformerEngine/pull/2476 loss and gradient divided by all rows
RED-06 llvm/torch-mlir/pull/3585 an exported mean counts ignored rows
RED-07 NVIDIA-NeMo/Automodel/issues/3803 the means of chunks are added
RED-08 NVIDIA-NeMo/Automodel/issues/3803 the vectors of chunks are added elementwise
RED-09 chainer/chainer/pull/8301 a flag that drops ignored rows is not applied
RED-10 apache/mxnet/issues/5981 probabilities not divided, spatial means divided twice
RED-11 huggingface/transformers/pull/5919 a smoothed mean divided by the batch with its padding
RED-12 facebookresearch/detectron2/pull/3454 the reduction is not passed on
RED-13 linkedin/Liger-Kernel/pull/435 none gives a scalar
RED-14 pytorch/pytorch/pull/59824 the mean of probabilities is over N x C products
RED-15 flagos-ai/FlagGems/pull/73 the mean counts ignored rows for the default index
RED-16 eladhoffer/utils.pytorch/issues/4 a smoothed mean counts ignored rows
WGT-01 pytorch/pytorch/issues/31295 the divisor is used only if positive
WGT-02 pytorch/pytorch/issues/64256 rows of negative weight have no gradient
WGT-03 PaddlePaddle/Paddle/pull/24352 weights applied to something else than the losses
WGT-04 linkedin/Liger-Kernel/pull/420 a smoothed row scaled by its target's weight
WGT-05 pytorch/pytorch/issues/104776 the uniform part and the weights
WGT-06 DeepLink-org/DIOPI/pull/508 the weighted mean divided by a count
WGT-07 torch/nn/issues/775 two conventions for the weighted mean exchanged
WGT-08 pytorch/xla/pull/287 forward and backward divide differently
IGN-01 chainer/chainer/issues/2715 -1 is hard-coded as the ignored label
IGN-02 pytorch/pytorch/issues/108148 out-of-range labels as empty one-hot rows
IGN-03 pytorch/pytorch/issues/69339 weights gathered at ignored labels, with smoothing
IGN-04 pytorch/pytorch/issues/73205 the uniform part is added for ignored rows
IGN-05 tinygrad/tinygrad/pull/3570 the uniform part is not masked
IGN-06 pytorch/pytorch/pull/95833 compiled code gathers before it masks
IGN-07 pytorch/pytorch/issues/90916 a batched rule loses ignore_index
IGN-08 Lightning-AI/lightning-thunder/issues/1744 indexes with the ignored label before masking
IGN-09 PaddlePaddle/Paddle/pull/28622 ignored rows have a gradient
IGN-10 PaddlePaddle/Paddle/pull/31201 ignored labels fail the range check
IGN-11 PaddlePaddle/Paddle/issues/17961 one of two backends does not mask
IGN-12 PaddlePaddle/Paddle/pull/52835 a negative index is not masked
IGN-13 pytorch/pytorch/issues/15508 none checks the range of ignored labels
IGN-14 flagos-ai/FlagGems/pull/73 the default index ignores nothing
IGN-15 apache/mxnet/issues/6202 an ignored label is not honoured in one-hot rows
IGN-16 keras-team/tf-keras/issues/734 ignored labels become NaN before they are masked
IGN-17 pytorch/pytorch/issues/63004 the ignored class stays in the softmax, or does not
IGN-18 pytorch/pytorch/issues/20406 losses of ignored rows are never written
IGN-19 deepspeedai/DeepSpeedExamples/issues/66 no mask: -1 is the last class
IGN-20 ROCm/AMDMIGraphX/pull/3008 a negative index loses its sign
IGN-21 onnx/onnx/pull/2696 ignoring by a weight of 0: only for classes
LSM-01 tensorflow/tensorflow/issues/32231 e divided by another axis than the classes
LSM-02 keras-team/keras/issues/23451 classes counted on the last axis
LSM-03 paiml/aprender/pull/2199 (1 - e) / C off the target
LSM-04 fastai/fastai/pull/1814 e scaled by C / (C - 1)
LSM-05 ml-explore/mlx/pull/166 e / (C - 1) for the other classes
LSM-06 TimDettmers/ConvE/issues/55 1 / C added for e / C
LSM-07 ildoonet/pytorch-randaugment/issues/30 1 - e / C at the target
LSM-08 linkedin/Liger-Kernel/issues/243 label_smoothing not passed on
LSM-09 candle-org/MindAct/pull/1633 0 x inf in a uniform part that is off
LSM-10 harvardnlp/annotated-transformer/issues/39 the padding class left out of the smoothing
SFT-01 tensorflow/tensorflow/issues/60314 the gradient takes probabilities to sum to one
SFT-02 NVIDIA-NeMo/Automodel/pull/2428 the sum of probabilities is missing backwards
SFT-03 kvark/meganeura/pull/102 the gradient is wrong for rows that do not sum to one
SFT-04 pytorch/pytorch/pull/61044 what the weighted mean of probabilities divides by
SFT-05 keras-team/tf-keras/issues/47 probabilities are normalised silently
SFT-06 pytorch/pytorch/pull/63122 probabilities are not smoothed
SFT-07 tensorflow/tensorflow/issues/26495 the second derivative by logits and labels is 0
SHP-01 pytorch/pytorch/pull/687 three dimensions: normalised over the batch
SHP-02 PaddlePaddle/Paddle/pull/27311 the axis is not passed on to log_softmax
SHP-03 jax-ml/jax/issues/20856 trailing axes of 1: normalised over the wrong one
SHP-04 FluxML/Flux.jl/issues/1425 a wrong split of axes beside a size of 1
SHP-05 ml-explore/mlx gathered on one axis, expanded on another
SHP-06 keras-team/keras/pull/22969 only a last axis of 1 is squeezed
SHP-07 keras-team/keras/pull/19838 a mask with a trailing 1 broadcasts
SHP-08 pytorch/pytorch/issues/76939 one row alone raises
SHP-09 pytorch/pytorch/issues/79531 probabilities: none keeps the class axis
SHP-10 apache/singa/issues/578 backward as if the batch was one distribution
SHP-11 pytorch/pytorch/pull/802 flattened without moving the class axis
SHP-12 NVIDIA-NeMo/Automodel/issues/3803 none is flat for spatial logits
DTY-01 pytorch/pytorch/issues/29429 a float16 mean overflows on the way
DTY-02 pytorch/pytorch/issues/55657 a running float32 sum over ten million rows
DTY-03 pytorch/pytorch/issues/64163 float64 losses added in float32
DTY-04 google-deepmind/optax/issues/1020 the normaliser is rounded to bfloat16
DTY-05 pytorch/pytorch/pull/24457 bfloat16 accumulators, and truncation for rounding
DTY-06 apple/ml-cross-entropy/issues/14 small entries of the gradient are dropped
DTY-07 torch/cunn/pull/445 each loss is divided before they are added
DTY-08 THUFutureLab/gluon-face/issues/28 labels held as floating-point numbers
DTY-09 PFCCLab/PaddleAPITest/pull/447 a float16 sum overflows
DTY-10 tenstorrent/tt-metal/issues/52131 a sum of exponentials in bfloat16
DTY-11 PFCCLab/PaddleAPITest/pull/478 a float16 sum over a huge class axis
DTY-12 tinygrad/tinygrad/pull/17445 float16 losses of many rows
DTY-13 pytorch/xla/pull/7992 autocast to bfloat16
IDX-01 pytorch/pytorch/issues/85786 the place row x C + y in 32 bits
IDX-02 pytorch/pytorch/issues/111484 rows beyond the range of an index are not written
IDX-03 pytorch/pytorch/issues/190139 32-bit places in the backward pass alone
IDX-04 intel/torch-xpu-ops/pull/4725 gradients beyond the range stay 0
IDX-05 pytorch/pytorch/issues/84144 the last rows of log_softmax are garbage
IDX-06 Dao-AILab/flash-attention/issues/714 the start of a row in 32 bits
IDX-07 microsoft/onnxruntime/issues/32299 the first row of a warp in 32 bits
IDX-08 karpathy/llm.c/pull/456 a fused classifier overflows its index
IDX-09 pytorch/pytorch/issues/52715 a size becomes negative: nothing is done
IDX-10 pytorch/pytorch/issues/177116 a scratch buffer of an older call
MEM-01 pytorch/pytorch/issues/67167 the target's stride is not looked at
MEM-02 NVIDIA/TransformerEngine/pull/2746 the stride of the rows is taken to be C
MEM-03 pytorch/pytorch/issues/175084 four dimensions, not contiguous: no gradient
MEM-04 linkedin/Liger-Kernel/pull/1251 the gradient overwrites the logits
MEM-05 unslothai/unsloth/issues/5002 saved logits are overwritten by the gradient
MEM-06 linkedin/Liger-Kernel/issues/507 two results share a buffer
MEM-07 ml-explore/mlx/issues/657 a slice is read as if contiguous
MEM-08 pytorch/pytorch/issues/75923 a result written as if contiguous
MEM-09 tenstorrent/tt-metal/issues/53209 targets read beyond a page
MEM-10 torch/nn/pull/834 a cotangent's stride is not looked at
SPV-01 google-deepmind/optax/issues/896 0 x -inf at a masked class
SPV-02 google-deepmind/optax/pull/1762 a forward-mode tangent is NaN at -inf
SPV-03 jax-ml/jax/issues/17117 masked logits beyond the maximum overflow
SPV-04 Dao-AILab/flash-attention/issues/1930 a tile of -inf makes the row NaN
SPV-05 gabrieldemarmiesse/torch-mojo-backend/pull/319 empty partial blocks make the row NaN
SPV-06 ml-explore/mlx/issues/1467 all -inf: the answer depends on the size
SPV-07 ml-explore/mlx/issues/576 +inf makes exp(inf - inf)
SPV-08 tensorflow/tensorflow/issues/40606 0 x -inf in a compiled one-hot product
SPV-09 tenstorrent/tt-metal/issues/56056 infinities and NaN get finite probabilities
SPV-10 intel/torch-xpu-ops/pull/5022 the maximum drops NaN
SPV-11 sooftware/kospeech/issues/37 NaN in an ignored row leaks out
SPV-12 allenai/allennlp/issues/890 a fully masked row is NaN
SPV-13 OpenBMB/ModelCenter/issues/14 a padded column at -inf
SPV-14 tensorflow/tensorflow/issues/11756 the gradient of a multiplied mask
DEG-01 pytorch/pytorch/issues/15870 an empty batch raises
DEG-02 pytorch/pytorch/issues/73165 no classes: a division by zero
DEG-03 pytorch/pytorch/issues/134431 an empty spatial axis raises
DEG-04 microsoft/onnxruntime/pull/3734 all ignored: 0 / 0, in the gradient too
DEG-05 pytorch/pytorch/issues/70348 all ignored: 0 for NaN
DEG-06 NVIDIA-NeMo/Automodel/issues/3796 all masked: no guard
DEG-07 keras-team/keras/issues/17029 one class: NaN, or a fallback
DEG-08 apache/mxnet/issues/20005 a maximum over nothing
DEG-09 - all weights 0
INV-01 pytorch/pytorch/issues/5296 no range check for none
INV-02 tensorflow/tensorflow/issues/8484 a label out of range gives NaN
INV-03 tensorflow/tensorflow/issues/126005 compiled: a label out of range gives NaN
INV-04 pytorch/xla/issues/4552 a negative label is accepted
INV-05 google-deepmind/optax/issues/1185 negative labels wrap around
INV-06 pytorch/pytorch/issues/134767 a negative smoothing is accepted
INV-07 pytorch/pytorch/issues/152437 negative probabilities are accepted
INV-08 pytorch/pytorch/issues/66872 labels far out of range are accepted
INV-09 PaddlePaddle/Paddle/pull/36891 a negative label has the loss 0
INV-10 pytorch/pytorch/pull/172018 no validation of empty input
INV-11 mlverse/torch/issues/1145 labels and ignore_index of different bases
GRD-01 linkedin/Liger-Kernel/issues/678 the first cotangent for all rows
GRD-02 NVIDIA/TransformerEngine/pull/2139 a vector of cotangents gives 0
GRD-03 pytorch/pytorch/pull/94226 the cotangent is not looked at
GRD-04 microsoft/DirectML/issues/739 none has the gradient 0
GRD-05 ROCm/MIOpen/issues/112 the softmax's Jacobian for log_softmax
GRD-06 PaddlePaddle/Paddle/issues/5395 the incoming gradient is not handled
GRD-07 pytorch/pytorch/issues/195678 p - 1 cancels
GRD-08 jax-ml/jax/issues/40409 a sum of cotangents overflows
GRD-09 jax-ml/jax/issues/13529 a gradient through the maximum at ties
GRD-10 apple/ml-cross-entropy/issues/52 a bias is added once a block
GRD-11 google-deepmind/optax/issues/1335 masked in the normaliser, not at the target
GRD-12 linkedin/Liger-Kernel/pull/230 divided by the rows for every reduction
GRD-13 linkedin/Liger-Kernel/pull/198 smoothing is missing in the gradient
SEC-01 tensorflow/tensorflow/issues/5876 the Hessian is 0
SEC-02 pytorch/pytorch/issues/2210 differentiable only once
SEC-03 pytorch/pytorch/issues/64256 second derivatives and negative weights
SEC-04 NVIDIA/TransformerEngine/pull/1456 a gradient made in the forward pass
RACE-01 PaddlePaddle/Paddle/issues/9119 a gradient scaled before one is subtracted
RACE-02 PaddlePaddle/Paddle/pull/21480 a maximum that misses a block
RACE-03 pytorch/pytorch/issues/17350 sums in another order at every call
RACE-04 NervanaSystems/neon/issues/171 a part of a row's sum is lost
RACE-05 karpathy/llm.c/pull/847 an accumulator set to 0 too late
RACE-06 xlite-dev/LeetCUDA/issues/251 divided by a sum that is not complete
BLK-01 pytorch/pytorch/issues/143644 odd class counts of 513 to 1023 lose their last
BLK-02 unslothai/unsloth/pull/10616 padded lanes come back through a cap
BLK-03 apple/ml-cross-entropy/pull/59 a sentinel that is a padded column
BLK-04 microsoft/onnxruntime/pull/20059 padding by 0 for -inf in float16
BLK-05 m0at/rvllm/pull/1 idle lanes are 0 in the maximum
BLK-06 tensorflow/tensorflow/issues/25977 loads of two across the end of a row
BLK-07 pytorch/pytorch/issues/56325 misaligned loads of an odd row
BLK-08 PaddlePaddle/Paddle/pull/31491 classes beyond 256 are not processed
BLK-09 pytorch/pytorch/pull/182867 fewer classes than threads: NaN
BLK-10 tenstorrent/tt-metal/issues/53209 the tail tile is dropped
PAR-01 NVIDIA/Megatron-LM/issues/737 smoothing by the shard's own mean
PAR-02 NVIDIA/Megatron-LM/issues/7452 gathered logits are summed once a rank
PAR-03 pytorch/pytorch/issues/185167 the mean of the shards' weighted means
PAR-04 pytorch/pytorch/issues/190746 log_softmax backwards as the identity
PAR-05 modelscope/ms-swift/pull/9947 no gradient on shards without the target
PAR-06 apple/ml-cross-entropy/issues/14 the gradient of one shard is kept
PAR-07 NVIDIA/Megatron-LM/issues/1754 the last shard's padding counts
PAR-08 modelscope/ms-swift/pull/10185 labels shifted within each shard
PAR-09 NVIDIA/Megatron-LM/issues/7452 normalised by local counts
PAR-10 huggingface/transformers/pull/31525 the last token of each shard is lost
JIT-01 pytorch/pytorch/issues/161150 a scale moved out of the maximum
JIT-02 jax-ml/jax/issues/37234 the maximum is of rounded products
JIT-03 tensorflow/tensorflow/issues/55682 a mask of -1e9 is added
JIT-04 tensorflow/tensorflow/issues/126005 compiled: the range check is gone
JIT-05 llvm/torch-mlir/pull/3585 an exported decomposition forgets ignored rows
ACC-01 huggingface/transformers/pull/34191 the mean of the steps' means
ACC-02 huggingface/transformers/issues/35203 divided by the count and by the steps
ACC-03 OpenNMT/OpenNMT-py/issues/2209 divided by samples, not by rows
ACC-04 Lightning-AI/pytorch-lightning/pull/21386 the mean of the steps' means
ACC-05 meta-pytorch/torchtune/pull/1917 the mean of the steps' means
ACC-06 NVIDIA-NeMo/Automodel/issues/3803 chunks of a fused loss
SYN-01 - a factor log2 e is missing
SYN-02 - log(p + 1e-8)
SYN-03 - a guarded divisor
SYN-04 - softmax twice
SYN-05 - e and 1 - e exchanged
SYN-06 - weights normalised to sum to C
SYN-07 - weights in float16
SYN-08 - labels compared as bytes
SYN-09 - labels clipped before they are masked
SYN-10 - the last row of an odd batch
SYN-11 - the maximum without the target
SYN-12 - none scaled so that its mean is the mean
SYN-13 - the mean over samples of their means
SYN-14 - log-sum-exp of an older call
SYN-15 - the result is always float32
SYN-16 - safe labels written into the target
SYN-17 - probabilities smoothed twice
SYN-18 - nan_to_num
SYN-19 - rows in another order
SYN-20 - no Jacobian of the softmax for the sum
"""


@dataclass(frozen=True)
class Fault:
    """A reported fault, or a plausible one."""

    what: str
    link: str
    """Of its thread; empty where there is none."""


def _fault(thread: str, what: str) -> Fault:
    return Fault(what, "" if thread == "-" else f"https://github.com/{thread}")


FAULTS: dict[str, Fault] = {
    code: _fault(thread, what)
    for code, thread, what in (line.split(" ", 2) for line in _CATALOGUE.strip().splitlines())
}
"""By code."""
