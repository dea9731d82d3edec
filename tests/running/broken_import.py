"""An adapter whose library is not there."""

import a_library_that_nobody_has

from conformance import implementation


@implementation("no-library", dtypes=("float32",), reductions=("none",))
def loss(logits, target):
    return a_library_that_nobody_has.loss(logits, target)
