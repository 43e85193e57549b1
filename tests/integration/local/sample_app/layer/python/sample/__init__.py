"""What a layer brings."""

LAYER = "from the layer"
