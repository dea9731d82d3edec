"""What must hold: the catalogue of properties, one module a family."""

from __future__ import annotations

from conformance.properties import (
    accuracy,
    definition,
    derivatives,
    gradient,
    ignore_index,
    invariance,
    label_smoothing,
    purity,
    reduction,
    shape,
    size,
    soft_targets,
    special_values,
    validation,
    weight,
)
from conformance.properties.property import Property

PROPERTIES: tuple[Property, ...] = (
    *definition.PROPERTIES,
    *accuracy.PROPERTIES,
    *weight.PROPERTIES,
    *ignore_index.PROPERTIES,
    *reduction.PROPERTIES,
    *label_smoothing.PROPERTIES,
    *soft_targets.PROPERTIES,
    *shape.PROPERTIES,
    *gradient.PROPERTIES,
    *derivatives.PROPERTIES,
    *invariance.PROPERTIES,
    *special_values.PROPERTIES,
    *validation.PROPERTIES,
    *purity.PROPERTIES,
    *size.PROPERTIES,
)
"""In the order of reports: the formula first, then option by option."""

BY_SLUG: dict[str, Property] = {prop.slug: prop for prop in PROPERTIES}
