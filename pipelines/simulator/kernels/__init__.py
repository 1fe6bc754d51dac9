"""This package holds the venue's rules as kernels, over the records of `simulator.records`."""
