"""The nouns that rooms share: policy, resolution, ports, scores, reasons."""
