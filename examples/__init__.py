"""Examples of what people write for the engine; the product does not import them."""
