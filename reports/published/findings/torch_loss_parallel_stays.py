"""Where an exception leaves loss_parallel, it stays on."""

import contextlib

import torch
from torch.distributed.tensor import DTensor
from torch.distributed.tensor.parallel import loss_parallel

with contextlib.suppress(ValueError), loss_parallel():
    raise ValueError
got = torch.ops.aten.nll_loss_forward.default in DTensor._op_dispatcher._custom_op_handlers
print(f"got a handler that is still there: {got}, expected none")
raise SystemExit(not got)
