# man/local.mk -- manual pages, one a program.
