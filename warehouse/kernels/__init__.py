"""This package holds the numba kernels: arrays in, arrays out, nothing else."""
