"""This package holds the replay kernels: arrays in, arrays out, nothing else."""
