// common.cl -- text in front of every program: types and helpers that all kernels share.
